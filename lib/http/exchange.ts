import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dialect } from '../errors/error-body.ts';

/** One request and its response, with what the gateway knows of them before it reads a byte. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** UUIDv7 made by the gateway: the admission id, the upstream's x-request-id, the audit row's id. */
  readonly admissionId: string;
  /** The client's own id, if it is one; told back, logged, and deciding nothing. */
  readonly clientRequestId: string | null;
  /** The peer, or what trusted proxies say of it. Normalised text. */
  readonly clientAddress: string;
  /** Told by the path alone, so that even a refusal of the framing has the right shape. */
  readonly dialect: Dialect;
  /** Monotonic milliseconds. */
  readonly startedAtMs: number;
  /** The client's connection ended before our response did. */
  readonly gone: AbortSignal;
  /** Those that every response carries (SPEC §9): names and values in turn. */
  readonly standardHeaders: readonly string[];
  /** What answers a browser's preflight beside these; null for every other request (SPEC §14). */
  readonly preflight: readonly string[] | null;
  /** Settles when the response was sent whole or its connection ended; never rejects. */
  readonly closed: Promise<void>;
}

import type { OutgoingBody } from './outgoing-body.ts';
import type { Tally } from './tally.ts';

/** One admitted request on its way to an upstream. */
export interface ForwardRequest {
  /** A constant of the route table. */
  readonly path: string;
  readonly body: OutgoingBody;
  /** Flat, from request-headers.ts. */
  readonly headers: string[];
  /** Upstreams that have the model: positions in OLLAMA_URL. */
  readonly upstreams: readonly number[];
  /** Connections are kept for a tenant alone. */
  readonly tenantId: string;
  /** The client's hang-up; ends the upstream's work at once, also while it is waited for. */
  readonly gone: AbortSignal;
  readonly tally: Tally;
}

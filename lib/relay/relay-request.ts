import type { Lease } from '../admission/lease.ts';
import type { Call } from '../http/call.ts';
import type { Exchange } from '../http/exchange.ts';
import type { ByteBudget } from '../memory/byte-budget.ts';
import type { UpstreamReply } from '../upstream/reply.ts';
import type { Tally } from '../upstream/tally.ts';
import type { BeatTimes } from './heartbeat.ts';
import type { LargeReplies } from './large-replies.ts';
import { ReplyMemory } from './reply-memory.ts';

/** Sees each complete line of a reply as it passes; must not keep or change the buffer. */
export type LineObserver = (line: Buffer) => void;

/** One reply on its way to its client. */
export interface RelayRequest {
  readonly exchange: Exchange;
  readonly call: Call;
  /** The model's name as it was sent upstream. */
  readonly model: string;
  readonly lease: Pick<Lease, 'numPredict'>;
  readonly tally: Tally;
  readonly reply: UpstreamReply;
  /** Whose share of the memory for replies it takes: the tenant's id. */
  readonly ownerId: string;
  /** Flat list of further response headers (limits, budgets). */
  readonly headers: readonly string[];
  readonly observer?: LineObserver | undefined;
  /** When a client that waits for events hears that it waits. */
  readonly beats: BeatTimes;
}

export interface RelayLimits {
  readonly maxLineBytes: number;
  readonly maxAssembledBytes: number;
  readonly maxReplyBytes: number;
  readonly readerTimeoutMs: number;
  /** How long a client may take over a reply that is held for it in full. */
  readonly deliveryTimeoutMs: number;
  /** Larger replies that must be parsed as a whole, and larger lines, are read in a thread. */
  readonly largeReplyBytes: number;
}

/** What relaying needs; lives as long as the worker. */
export interface RelayParts {
  readonly limits: RelayLimits;
  /** What all replies of the worker may hold together. */
  readonly memory: ByteBudget;
  readonly large: LargeReplies;
}

/** What one reply holds, for as long as its connection is there. */
export function openMemory(parts: RelayParts, request: RelayRequest): ReplyMemory {
  const { ownerId, exchange } = request;
  return new ReplyMemory(parts.memory, { ownerId, closed: exchange.closed });
}

/** Content lines beyond num_predict before a reply is cut (SPEC §6). */
const LINES_TO_SPARE = 256;

/** How many content lines a reply may have. */
export function maxLinesOf(lease: Pick<Lease, 'numPredict'>): number {
  return lease.numPredict === null ? Infinity : lease.numPredict + LINES_TO_SPARE;
}

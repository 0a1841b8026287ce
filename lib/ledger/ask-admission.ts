import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';
import { readAdmitReply } from './admit-reply.ts';
import type { AdmitReply } from './admit-reply.ts';
import { toAdmitArguments } from './admit-request.ts';
import type { AdmitRequest } from './admit-request.ts';
import type { Hold } from './hold.ts';
import { shardOf } from './keys.ts';
import type { RedisTime } from './redis-time.ts';
import type { ScriptCommands } from './scripts.ts';
import type { Cancellation } from './settle-request.ts';
import { LedgerTimeoutError, within } from './within.ts';

/** Redis gave no answer to an admission. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  /** What is to be taken back, since it may have been carried out; null if nothing was sent. */
  readonly cancellation: Cancellation | null;
  /** Redis took too long, as opposed to a connection that is not there. */
  readonly timedOut: boolean;

  constructor(cancellation: Cancellation | null, cause: unknown) {
    super('Redis gave no answer to an admission');
    this.cancellation = cancellation;
    this.timedOut = cause instanceof LedgerTimeoutError;
  }
}

/** Redis's answer; with it, where it said yes, what must be settled. */
export type Admission =
  | (Extract<AdmitReply, { kind: 'ok' }> & { readonly hold: Hold })
  | Exclude<AdmitReply, { kind: 'ok' }>;

interface AskParts {
  readonly connection: Pick<Redis, 'status'>;
  readonly redis: Pick<ScriptCommands, 'nz_admit'>;
  readonly clock: Clock;
  readonly time: RedisTime;
  readonly shards: number;
  readonly incarnation: string;
  readonly leaseMs: number;
  /** Learns the time of a shard that was not heard of yet. */
  readonly learnTimeMs: (shard: number) => Promise<number>;
}

/** Asks for an admission. @throws (the function it makes) NoAnswerError */
export function makeAskAdmission(parts: AskParts): (request: AdmitRequest) => Promise<Admission> {
  const { connection, redis, clock, time, incarnation, leaseMs } = parts;
  return async (request) => {
    const { id, tenantId, keyId } = request;
    const shard = shardOf(tenantId, parts.shards);
    const endsAtMs = clock.monotonicMs() + request.timeoutMs;
    const leftMs = (): number => endsAtMs - clock.monotonicMs();
    const nowMs = time.estimateMs(shard) ?? (await learn(parts, shard, request.timeoutMs));
    // The caller stops waiting so long after its start, however long it took to learn the time.
    const deadlineMs = Math.floor(nowMs + leftMs());
    if (connection.status !== 'ready') throw new NoAnswerError(null, undefined);
    if (leftMs() <= 0) {
      throw new NoAnswerError(null, new LedgerTimeoutError('the time took it all'));
    }

    const facts = JSON.stringify({ id, ...request.facts });
    const context = { shard, incarnation, leaseMs, deadlineMs, facts };
    const sent = redis.nz_admit(...toAdmitArguments(request, context)).then(readAdmitReply);
    const reply = await within(leftMs(), sent).catch((error: unknown) => {
      throw new NoAnswerError({ id, shard, keyId, tenantId, deadlineMs }, error);
    });
    time.learn(shard, reply.nowMs);
    if (reply.kind !== 'ok') return reply;
    const { nowMs: admittedAtMs, heldTokens, grantedTokens } = reply;
    const countedTokens = request.promptTokens + grantedTokens;
    const hold = { id, shard, keyId, tenantId, admittedAtMs, heldTokens, countedTokens, facts };
    return { ...reply, hold };
  };
}

async function learn(parts: AskParts, shard: number, timeoutMs: number): Promise<number> {
  if (parts.connection.status !== 'ready') throw new NoAnswerError(null, undefined);
  return within(timeoutMs, parts.learnTimeMs(shard)).catch((error: unknown) => {
    throw new NoAnswerError(null, error);
  });
}

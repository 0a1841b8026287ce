import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';
import { readAdmitReply } from './admit-reply.ts';
import type { AdmitReply } from './admit-reply.ts';
import { encodeEntry } from './entry-codec.ts';
import type { Entry } from './entry.ts';
import { KEYS, shardOf } from './keys.ts';
import { makeRedisTime } from './redis-time.ts';
import { defineScripts } from './scripts.ts';
import type { Script } from './scripts.ts';
import { readSettleReply } from './settle-reply.ts';
import { within } from './within.ts';

export interface AdmitRequest {
  readonly tenantId: string;
  readonly keyId: string;
  /** How long Redis may take; nothing is admitted by this request after it. */
  readonly timeoutMs: number;
  /** Entries that may wait for Postgres in the tenant's shard. */
  readonly maxWaitingEntries: number;
}

/** What a worker says to Redis about requests: one script each way, none while a stream runs. */
export interface Ledger {
  /** Rejects with LedgerTimeoutError, or with the connection's own error while Redis is away. */
  admit(request: AdmitRequest): Promise<AdmitReply>;
  /** Appends the entry to its shard's stream. May be repeated. Rejects as the connection does. */
  settle(entry: Entry): Promise<void>;
  /** Redis's time as far as this connection knows it, milliseconds since 1970. */
  estimateTimeMs(): number | null;
}

interface LedgerParts {
  /** As fixed at `nzgw migrate`. */
  readonly shards: number;
  readonly clock: Clock;
  readonly scripts?: readonly Script[];
}

/** How long Redis may take to settle: the command timeout of the connection that is given to openLedger. */
export const SETTLE_TIMEOUT_MS = 5_000;

export function openLedger(redis: Redis, parts: LedgerParts): Ledger {
  const commands = defineScripts(redis, parts.scripts);
  const time = makeRedisTime(redis, parts.clock);

  const admit = async (request: AdmitRequest): Promise<AdmitReply> => {
    const shard = shardOf(request.tenantId, parts.shards);
    const startedMs = parts.clock.monotonicMs();
    const nowMs = time.estimateMs() ?? (await time.askMs());
    // The caller stops waiting so long after its start, however long it took to learn the time.
    const spentMs = Math.ceil(parts.clock.monotonicMs() - startedMs);
    const deadlineMs = nowMs + request.timeoutMs - spentMs;
    const raw = await commands.nz_admit(
      KEYS.events(shard),
      KEYS.revokedKey(shard, request.keyId),
      KEYS.revokedTenant(shard, request.tenantId),
      deadlineMs,
      request.maxWaitingEntries,
    );
    const reply = readAdmitReply(raw);
    if ('nowMs' in reply) time.learn(reply.nowMs);
    return reply;
  };

  return {
    admit: (request) => within(request.timeoutMs, admit(request)),
    async settle(entry) {
      const shard = shardOf(entry.tenantId, parts.shards);
      const raw = await commands.nz_settle(KEYS.events(shard), encodeEntry(entry));
      time.learn(readSettleReply(raw).nowMs);
    },
    estimateTimeMs: () => time.estimateMs(),
  };
}

import { onConnectionLost } from '../store/redis-connection.ts';
import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';
import type { AdmitRequest } from './admit-request.ts';
import { makeAskAdmission } from './ask-admission.ts';
import type { Admission } from './ask-admission.ts';
import { encodeEntry } from './entry-codec.ts';
import type { Entry } from './entry.ts';
import { KEYS, shardOf } from './keys.ts';
import { readPeekReply, toPeekArguments } from './peek.ts';
import type { PeekReply, PeekRequest } from './peek.ts';
import { makeRedisTime } from './redis-time.ts';
import { readRenewReply, toReholdArguments, toRenewArguments } from './renew-request.ts';
import type { RenewReply, Running } from './renew-request.ts';
import { readReply } from './reply.ts';
import { defineScripts, timeScripts } from './scripts.ts';
import type { Script, ScriptName } from './scripts.ts';
import { toCancelArguments, toSettleArguments } from './settle-request.ts';
import type { Cancellation } from './settle-request.ts';
import { within } from './within.ts';

/** What a worker says to Redis about requests: one script each way, none while a stream runs. */
export interface Ledger {
  /** Asks for an admission. Rejects with NoAnswerError only. */
  admit(request: AdmitRequest): Promise<Admission>;
  /** What a caller has used. Rejects as the connection does, or after `timeoutMs`. */
  peek(request: PeekRequest, timeoutMs: number): Promise<PeekReply>;
  /** Charges an admitted request. May be repeated. Rejects as the connection does. */
  settle(entry: Entry): Promise<void>;
  /** Takes an admission back; false if it is too early for that. May be repeated. */
  cancel(cancellation: Cancellation): Promise<boolean>;
  /** Keeps a refusal, or tells `onFull`. May be repeated. */
  note(entry: Entry): Promise<void>;
  /** Renews leases of one shard; with an empty list asks for its life alone. */
  renew(shard: number, running: readonly Running[], timeoutMs: number): Promise<RenewReply>;
  /** Holds again what Redis has lost. May be repeated. */
  rehold(shard: number, running: readonly Running[]): Promise<void>;
  shardOf(tenantId: string): number;
  /** A tenant's Redis's time as far as this connection knows it, milliseconds since 1970. */
  estimateTimeMs(tenantId: string): number | null;
}

/** How many entries of a shard may wait for Postgres when a refusal is kept; absent: any number. */
interface NoteRules {
  readonly mostWaiting: number;
  /** One was not kept for that. */
  readonly onFull: () => void;
}

export interface LedgerParts {
  /** As fixed at `nzgw migrate`. */
  readonly shards: number;
  readonly clock: Clock;
  /** Of this worker's life; never used twice. */
  readonly incarnation: string;
  /** How long a hold lives without being renewed. */
  readonly leaseMs: number;
  readonly scripts?: readonly Script[];
  readonly notes?: NoteRules;
  /** Told how long each script took. */
  readonly onScript?: (name: ScriptName, ms: number) => void;
}

/** How long Redis may take to settle: the command timeout of the connection that is given to openLedger. */
export const SETTLE_TIMEOUT_MS = 5_000;

export function openLedger(connection: Redis, parts: LedgerParts): Ledger {
  const { shards, leaseMs } = parts;
  const { clock, onScript } = parts;
  const defined = defineScripts(connection, parts.scripts);
  const redis = onScript ? timeScripts(defined, clock, onScript) : defined;
  const time = makeRedisTime(clock);
  onConnectionLost(connection, () => {
    time.forget();
  });

  const renew = async (shard: number, running: readonly Running[]): Promise<RenewReply> => {
    const holds = toRenewArguments(running);
    const raw = await redis.nz_renew(KEYS.life(shard), KEYS.lapse(shard), leaseMs, ...holds);
    const reply = readRenewReply(raw);
    time.learn(shard, reply.nowMs);
    return reply;
  };
  const learnTimeMs = async (shard: number): Promise<number> => (await renew(shard, [])).nowMs;

  return {
    admit: makeAskAdmission({ ...parts, connection, redis, time, learnTimeMs }),
    async peek(request, timeoutMs) {
      const raw = redis.nz_peek(...toPeekArguments(request, shardOf(request.tenantId, shards)));
      return readPeekReply(await within(timeoutMs, raw));
    },
    async settle(entry) {
      const shard = shardOf(entry.tenantId, shards);
      const raw = await redis.nz_settle(...toSettleArguments(entry, shard));
      readReply('settle', raw, ['settled', 'again']);
    },
    async cancel(cancellation) {
      const raw = await redis.nz_cancel(...toCancelArguments(cancellation));
      const { word, nowMs } = readReply('cancel', raw, ['early', 'done']);
      time.learn(cancellation.shard, nowMs);
      return word === 'done';
    },
    async note(entry) {
      const { keyId, tenantId, admittedAtMs } = entry;
      const shard = shardOf(tenantId, shards);
      const text = encodeEntry(entry);
      const most = parts.notes?.mostWaiting ?? Number.MAX_SAFE_INTEGER;
      const facts = [keyId, tenantId, admittedAtMs, text, most];
      const raw = await redis.nz_note(KEYS.events(shard), ...facts);
      const { word, nowMs } = readReply('note', raw, ['ok', 'full']);
      time.learn(shard, nowMs);
      if (word === 'full') parts.notes?.onFull();
    },
    renew: (shard, running, timeoutMs) => within(timeoutMs, renew(shard, running)),
    async rehold(shard, running) {
      const holds = toReholdArguments(running, parts.incarnation);
      await redis.nz_rehold(KEYS.life(shard), KEYS.lapse(shard), leaseMs, ...holds);
    },
    shardOf: (tenantId) => shardOf(tenantId, shards),
    estimateTimeMs: (tenantId) => time.estimateMs(shardOf(tenantId, shards)),
  };
}

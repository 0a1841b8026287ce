import type { ModelCatalogue } from '../access/authorise.ts';
import { canonicalise } from '../access/model-name.ts';
import { askUntilFilled } from '../admission/ask-until-filled.ts';
import { openEventStream } from '../ledger/event-stream.ts';
import { shardOf } from '../ledger/keys.ts';
import { openShardLook } from '../ledger/look.ts';
import { readTimeMs } from '../ledger/read-time.ts';
import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';
import type { Key } from '../tenants/key.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { judgeModel, judgeStanding, toHolder } from './judge-access.ts';
import { judgeLimits } from './judge-limits.ts';
import type { Judgement } from './judge-limits.ts';
import { measureLeastRequest } from './least-request.ts';
import type { LeastRequest } from './least-request.ts';
import { readLiveHolds } from './live-holds.ts';
import type { LiveHold } from './live-holds.ts';
import { because } from './reason.ts';
import type { LimitState, Reason } from './reason.ts';

export interface ExplainParts {
  readonly redis: Redis;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly shards: number;
  readonly models: ModelCatalogue;
  /** Entries that may wait for Postgres. */
  readonly auditStreamMax: number;
  /** What every prompt's bound has beside its text. */
  readonly promptBaseTokens: number;
  /** Context length that the gateway sends for a model, by its canonical name; null: none. */
  readonly numCtxOf: (canonical: string) => number | null;
}

/** Whether the smallest request would pass, and if not, why. */
export interface Explanation {
  /** Redis's clock, ms since 1970. */
  readonly nowMs: number;
  /** Canonical; null for what is no name of a model. */
  readonly model: string | null;
  /** The first is what the client would be told; none: it would pass. */
  readonly reasons: readonly Reason[];
  /** Every limit that is set, as far as Redis could tell. */
  readonly limits: readonly LimitState[];
  /** The running requests that are in the way, if it is they. */
  readonly holds: readonly LiveHold[];
}

/** As long as a request is given. */
const FILL_WITHIN_MS = 1_000;

/** Asks all that the gateway asks, in its order. Rejects as the connection does. */
export async function explainRequest(
  parts: ExplainParts,
  key: Key,
  tenant: Tenant,
  modelName: string,
): Promise<Explanation> {
  const nowMs = await readTimeMs(parts.redis);
  const { grant, reason } = judgeModel(parts.models, toHolder(key, tenant), modelName);
  const model = grant?.model.key ?? canonicalise(modelName) ?? null;
  const need = measureLeastRequest({
    model: grant?.model ?? { ownTextBytes: 0, embedding: false },
    numCtx: model === null ? null : parts.numCtxOf(model),
    baseTokens: parts.promptBaseTokens,
  });
  const limited = await judgeUse(parts, key, tenant, need);
  const reasons = [
    ...judgeStanding(key, tenant, nowMs),
    ...(reason === null ? [] : [reason]),
    ...judgeOutput(key, tenant, need),
    ...orderReasons(limited.reasons),
  ];
  return {
    nowMs,
    model,
    reasons,
    limits: limited.judgements.map(({ state }) => state),
    holds: await findInTheWay(parts, key, tenant, limited.reasons),
  };
}

interface Use {
  readonly judgements: readonly Judgement[];
  readonly reasons: readonly Reason[];
}

async function judgeUse(
  { redis, clock, shards, auditStreamMax }: ExplainParts,
  key: Key,
  tenant: Tenant,
  need: LeastRequest,
): Promise<Use> {
  const shard = shardOf(tenant.id, shards);
  const look = openShardLook(redis, shard);
  const caller = {
    tenantId: tenant.id,
    keyId: key.id,
    keyLimits: key.limits,
    tenantLimits: tenant.limits,
  };
  const filling = { clock, timeoutMs: FILL_WITHIN_MS, onFill: () => undefined };
  const used = await askUntilFilled(filling, () => look.peek(caller));
  if (used?.kind !== 'ok') return { judgements: [], reasons: [toUnknown(used?.kind ?? 'fill')] };

  const waits = await look.waits({ ...caller, neededTokens: need.countedTokens });
  const ofKey = { level: 'key', limits: key.limits, used: used.key, waits: waits.key } as const;
  const ofTenant = {
    level: 'tenant',
    limits: tenant.limits,
    used: used.tenant,
    waits: waits.tenant,
  } as const;
  const judgements = [ofKey, ofTenant].flatMap((use) => judgeLimits(use, need, waits.nowMs));
  const waiting = await openEventStream(redis, shard).length();
  const text = `${waiting} finished requests wait for Postgres, at most ${auditStreamMax} may`;
  return {
    judgements,
    reasons: [
      ...judgements.flatMap(({ reason }) => (reason === null ? [] : [reason])),
      ...(waiting < auditStreamMax ? [] : [because('audit_backlog', text)]),
    ],
  };
}

function toUnknown(kind: 'fill' | 'life'): Reason {
  return because(
    'limiter_unavailable',
    kind === 'fill'
      ? 'a budget’s counter is not filled yet; is a gateway running?'
      : 'Redis started anew or is empty, and no gateway has made it ready yet',
  );
}

function judgeOutput(key: Key, tenant: Tenant, need: LeastRequest): readonly Reason[] {
  const levels = [
    { level: 'key', max: key.limits.maxOutputTokens },
    { level: 'tenant', max: tenant.limits.maxOutputTokens },
  ] as const;
  return levels
    .filter(({ max }) => max !== null && max < need.outputTokens)
    .map(({ level }) => ({
      code: 'request_too_large_for_limit',
      text: `the ${level} may not generate any output`,
      limit: 'max_output',
      level,
      untilMs: null,
    }));
}

const ORDER = ['requests', 'tokens', 'concurrency', 'budget'];

/**
 * As a client is told (SPEC §5): what no wait would let through, then what the order has, but the
 * longest wait if nothing but time is in the way.
 */
function orderReasons(reasons: readonly Reason[]): readonly Reason[] {
  const ordered = [...reasons].sort((a, b) => placeOf(a) - placeOf(b));
  return ordered.every(endsByTime) ? ordered.sort((a, b) => endOf(b) - endOf(a)) : ordered;
}

function placeOf({ code, limit }: Reason): number {
  if (code === 'request_too_large_for_limit') return -1;
  return limit === null ? ORDER.length : ORDER.indexOf(limit);
}

function endsByTime({ code, limit }: Reason): boolean {
  return (
    code === 'insufficient_quota' || (code === 'rate_limit_exceeded' && limit !== 'concurrency')
  );
}

function endOf({ untilMs }: Reason): number {
  return untilMs ?? Infinity;
}

async function findInTheWay(
  { redis, shards }: ExplainParts,
  key: Key,
  tenant: Tenant,
  reasons: readonly Reason[],
): Promise<readonly LiveHold[]> {
  const inTheWay = reasons.filter(
    ({ code, limit }) =>
      code === 'budget_held' || (limit === 'concurrency' && code !== 'request_too_large_for_limit'),
  );
  if (inTheWay.length === 0) return [];
  const { holds } = await readLiveHolds(redis, [shardOf(tenant.id, shards)]);
  const isOfTenant = inTheWay.some(({ level }) => level === 'tenant');
  return holds.filter(({ tenantId, keyId }) =>
    isOfTenant ? tenantId === tenant.id : keyId === key.id,
  );
}

import { openShardLook } from '../ledger/look.ts';
import type { HoldLook } from '../ledger/look-replies.ts';
import { readTimeMs } from '../ledger/read-time.ts';
import type { Redis } from '../store/redis.ts';

/** A running request and what it holds. */
export interface LiveHold {
  /** The admission id. */
  readonly id: string;
  readonly tenantId: string;
  readonly keyId: string;
  readonly model: string | null;
  readonly admittedAtMs: number;
  readonly heldTokens: number;
  /** As its worker told last. */
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly lapsesAtMs: number;
}

export interface LiveHolds {
  /** Redis's clock, ms since 1970, by which all times here are. */
  readonly nowMs: number;
  /** Oldest first. */
  readonly holds: readonly LiveHold[];
}

/** The holds of these shards. Rejects as the connection does. */
export async function readLiveHolds(redis: Redis, shards: readonly number[]): Promise<LiveHolds> {
  const found: LiveHold[] = [];
  for (const shard of shards) {
    const holds = await openShardLook(redis, shard).holds();
    found.push(...holds.filter(({ state }) => state === 'live').map(toLiveHold));
  }
  const holds = found.sort((a, b) => a.admittedAtMs - b.admittedAtMs);
  return { nowMs: await readTimeMs(redis), holds };
}

/** Every shard there is. */
export function listShards(shards: number): readonly number[] {
  return Array.from({ length: shards }, (_, shard) => shard);
}

function toLiveHold({ facts, ...hold }: HoldLook): LiveHold {
  return {
    id: hold.id,
    tenantId: hold.tenantId,
    keyId: hold.keyId,
    model: readModel(facts),
    admittedAtMs: hold.admittedAtMs,
    heldTokens: hold.heldTokens,
    promptTokens: hold.promptTokens,
    completionTokens: hold.completionTokens,
    lapsesAtMs: hold.lapsesAtMs,
  };
}

/** Of the facts the model alone is shown. */
function readModel(facts: string): string | null {
  try {
    const { model } = JSON.parse(facts) as { readonly model?: unknown };
    return typeof model === 'string' ? model : null;
  } catch {
    return null;
  }
}

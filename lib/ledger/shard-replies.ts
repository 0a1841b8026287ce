import type { Counter, PeriodName } from './counter.ts';
import type { Scope } from './keys.ts';
import { readReply } from './reply.ts';

/** What the owner sees of its shard, several times a second. */
export interface Tick {
  /** Redis's time, ms since 1970. */
  readonly nowMs: number;
  /** Null before the shard's first life. */
  readonly lifeId: string | null;
  readonly ready: boolean;
  /** The life is of this run of Redis. */
  readonly current: boolean;
  /** Events that wait for Postgres. */
  readonly waiting: number;
  /** Names of counters to fill, some of them. */
  readonly fills: readonly string[];
}

/** A counter that was not what ledger, stream and live holds add up to: too high is positive. */
export interface Drift extends Counter {
  readonly spentTokens: number;
  readonly heldTokens: number;
}

/** Types the reply of lua/tick-3.lua. @throws TypeError for a reply that the script does not make */
export function readTick(raw: unknown): Tick | 'owner' {
  const { word, nowMs, rest } = readReply('tick', raw, ['ok', 'owner']);
  if (word === 'owner') return word;
  const [lifeId, ready, current, waiting, fills] = rest;
  return {
    nowMs,
    lifeId: lifeId === '' ? null : String(lifeId),
    ready: ready === 1,
    current: current === 1,
    waiting: Number(waiting),
    fills: fills as readonly string[],
  };
}

/**
 * Of the same reply, for whoever does not own the shard: whether it admits.
 * @throws TypeError for a reply that the script does not make
 */
export function readIsReady(raw: unknown): boolean {
  const [, ready, current] = readReply('tick', raw, ['ok', 'owner']).rest;
  return ready === 1 && current === 1;
}

/** Types the drifts that lua/fill-5.lua tells. */
export function readDrifts(raw: unknown): readonly Drift[] {
  const parts = raw as readonly (string | number)[];
  return Array.from({ length: parts.length / 4 }, (_, n) => ({
    scope: String(parts[4 * n]) as Scope,
    period: String(parts[4 * n + 1]) as PeriodName,
    spentTokens: Number(parts[4 * n + 2]),
    heldTokens: Number(parts[4 * n + 3]),
  }));
}

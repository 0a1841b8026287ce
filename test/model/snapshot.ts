import type { ModelHold, Shard } from './shard.ts';

/** What lies under one key of the shard, in a form in which model and Redis can be compared. */
export interface KeyState {
  readonly value: unknown;
  /** Milliseconds until it goes by itself; null: never. */
  readonly ttlMs: number | null;
}

/** By the end of the keys' names. */
export type Snapshot = ReadonlyMap<string, KeyState>;

/** What is left of a hold for a minute. */
export const SETTLED = { state: 'settled' } as const;

/** The state of the model as Redis should have it. */
export function snapshotOf(shard: Shard): Snapshot {
  const keys = new Map<string, KeyState>();
  const put = (name: string, value: unknown, expiresAtMs: number | null = null): void => {
    keys.set(name, { value, ttlMs: expiresAtMs === null ? null : expiresAtMs - shard.nowMs });
  };
  const { life, scopes } = shard;
  if (life) put('life', { ...life });
  if (scopes.members.size > 0) put('scopes', [...scopes.members].sort(), scopes.expiresAtMs);
  if (shard.fills.size > 0) put('fills', [...shard.fills].sort());
  if (shard.events.length > 0)
    put(
      'events',
      shard.events.map((event) => ({ ...event })),
    );
  if (shard.lapse.size > 0) put('lapse', sortScores(shard.lapse));
  for (const [scope, leases] of shard.leases) {
    if (leases.size > 0) put(`lease:${scope}`, sortScores(leases));
  }
  putBudgets(shard, put);
  for (const [id, hold] of shard.holds) put(`hold:${id}`, fieldsOf(hold), hold.expiresAtMs);
  putWindows(shard, put);
  return keys;
}

type Put = (name: string, value: unknown, expiresAtMs: number) => void;

function putBudgets(shard: Shard, put: Put): void {
  for (const [scope, { counters, fills, expiresAtMs }] of shard.budgets) {
    const fields = [...counters].flatMap(([period, { life: id, spent, held }]) => [
      [`${period}.life`, id],
      [`${period}.spent`, String(spent)],
      [`${period}.held`, String(held)],
    ]);
    put(`budget:${scope}`, sortFields([...fields, ['fills', String(fills)]]), expiresAtMs);
  }
}

function putWindows(shard: Shard, put: Put): void {
  for (const [name, { at, entries, expiresAtMs }] of shard.windows) {
    const seconds = new Map<number, number>();
    for (const { second, weight } of entries.filter((entry) => entry.second > at - 61)) {
      seconds.set(second, (seconds.get(second) ?? 0) + weight);
    }
    put(name, windowValue(at, seconds), expiresAtMs);
  }
}

/** A window: its newest second, its sum, and what each second has. */
export function windowValue(
  at: number,
  seconds: ReadonlyMap<number, number>,
): { at: number; sum: number; seconds: readonly (readonly [number, number])[] } {
  const present = [...seconds].filter(([, weight]) => weight !== 0).sort(([a], [b]) => a - b);
  return { at, sum: present.reduce((sum, [, weight]) => sum + weight, 0), seconds: present };
}

export function sortFields(fields: readonly (readonly (string | undefined)[])[]): unknown {
  return [...fields].sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
}

export function sortScores(scores: ReadonlyMap<string, number>): unknown {
  return [...scores].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A hold by its meaning; how its fields lie in Redis is the scripts' affair. */
function fieldsOf(hold: ModelHold): unknown {
  if (hold.state === 'settled') return SETTLED;
  const { state, inc, key, tenant, held, at, counted, prompt, completion, row } = hold;
  const buckets = hold.buckets ?? [0, 0, 0, 0];
  const loss = state === 'reaped' ? [hold.charge, ...hold.fillsAtLoss] : null;
  return { state, inc, key, tenant, held, at, counted, buckets, prompt, completion, row, loss };
}

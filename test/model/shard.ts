import type { PeriodName } from '../../lib/ledger/counter.ts';
import type { Scope } from '../../lib/ledger/keys.ts';

/** What the reference model holds of one shard: LEDGER §3 in plain data. Times are Redis's, in ms. */
export interface Shard {
  nowMs: number;
  life: ShardLife | null;
  readonly budgets: Map<Scope, Budget>;
  readonly scopes: { readonly members: Set<string>; expiresAtMs: number | null };
  readonly holds: Map<string, ModelHold>;
  /** Admission id to when its lease lapses. */
  readonly lapse: Map<string, number>;
  readonly leases: Map<Scope, Map<string, number>>;
  /** By the end of their key's name: rpm:<scope>, tpm:<scope>. */
  readonly windows: Map<string, ModelWindow>;
  events: readonly ModelEvent[];
  readonly fills: Set<string>;
}

export interface ShardLife {
  id: string | null;
  /** Whether the life was begun in the present run of Redis; null before the first. */
  run: 'this' | 'other' | null;
  ready: boolean;
  owner: string | null;
}

export interface Budget {
  readonly counters: Map<PeriodName, ModelCounter>;
  /** How often any of them was filled. */
  fills: number;
  expiresAtMs: number;
}

export interface ModelCounter {
  life: string;
  spent: number;
  held: number;
}

export interface ModelHold {
  state: 'live' | 'reaped' | 'settled';
  readonly inc: string;
  readonly key: string;
  readonly tenant: string;
  readonly held: number;
  readonly at: number;
  readonly counted: number;
  readonly row: string;
  prompt: number;
  completion: number;
  charge: number;
  /** Once it is reaped: how often the budgets of its key and its tenant had been filled. */
  fillsAtLoss: readonly number[];
  /** The seconds of its entries in the windows: requests of key, tenant, tokens; null if held again. */
  readonly buckets: readonly number[] | null;
  expiresAtMs: number | null;
}

/** A log, not buckets: every weight that was ever admitted, with when. */
export interface ModelWindow {
  /** Second of the newest. */
  at: number;
  readonly entries: WindowEntry[];
  expiresAtMs: number;
}

export interface WindowEntry {
  readonly id: string;
  readonly second: number;
  /** By a clock that is never set back. */
  readonly trueMs: number;
  weight: number;
}

export interface ModelEvent {
  readonly kind: 'entry' | 'lost' | 'refused';
  readonly facts: string;
  readonly key: string;
  readonly tenant: string;
  readonly at: number;
  readonly tokens: number;
  readonly prompt: number;
  readonly completion: number;
}

export function makeEmptyShard(nowMs: number): Shard {
  return {
    nowMs,
    life: null,
    budgets: new Map(),
    scopes: { members: new Set(), expiresAtMs: null },
    holds: new Map(),
    lapse: new Map(),
    leases: new Map(),
    windows: new Map(),
    events: [],
    fills: new Set(),
  };
}

/** Removes what has outlived its time. */
export function expire(shard: Shard): void {
  const { nowMs, holds, windows, budgets, scopes } = shard;
  for (const [id, hold] of holds) if (isOver(hold.expiresAtMs, nowMs)) holds.delete(id);
  for (const [name, window] of windows) {
    if (isOver(window.expiresAtMs, nowMs)) windows.delete(name);
  }
  for (const [scope, budget] of budgets)
    if (isOver(budget.expiresAtMs, nowMs)) budgets.delete(scope);
  if (isOver(scopes.expiresAtMs, nowMs)) {
    scopes.members.clear();
    scopes.expiresAtMs = null;
  }
}

/** The admission id that an event is about. */
export function idOf(event: Pick<ModelEvent, 'facts'>): string {
  return (JSON.parse(event.facts) as { id: string }).id;
}

export function scopesOf(of: { readonly key: string; readonly tenant: string }): [Scope, Scope] {
  return [`k:${of.key}`, `t:${of.tenant}`];
}

function isOver(expiresAtMs: number | null, nowMs: number): boolean {
  return expiresAtMs !== null && nowMs > expiresAtMs;
}

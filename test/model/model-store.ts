import type { ModelEvent } from './shard.ts';
import { idOf } from './shard.ts';

/** One row of the audit log, as far as the protocol has a say in it. */
export interface ModelRow {
  readonly outcome: string;
  readonly tokens: number;
  readonly prompt: number;
  readonly completion: number;
  readonly key: string;
  readonly tenant: string;
  readonly at: number;
}

/** Postgres: rows by admission id, and tokens by tenant, key and UTC day. */
export interface ModelStore {
  readonly rows: Map<string, ModelRow>;
  readonly ledger: Map<string, number>;
}

export function makeEmptyStore(): ModelStore {
  return { rows: new Map(), ledger: new Map() };
}

/** The drain's transaction of LEDGER §3: a row is replaced only if it says `lost` and the event not. */
export function drainInto(store: ModelStore, events: readonly ModelEvent[]): void {
  for (const event of events) {
    const id = idOf(event);
    const row = toRow(event);
    const known = store.rows.get(id);
    if (known !== undefined && (known.outcome !== 'lost' || row.outcome === 'lost')) continue;
    store.rows.set(id, row);
    const place = placeOf(row);
    const before = store.ledger.get(place) ?? 0;
    store.ledger.set(place, before + row.tokens - (known?.tokens ?? 0));
  }
}

/** Where a row is added up. */
export function placeOf({ tenant, key, at }: Pick<ModelRow, 'tenant' | 'key' | 'at'>): string {
  return `${tenant}|${key}|${new Date(at).toISOString().slice(0, 10)}`;
}

function toRow({ kind, facts, key, tenant, at, tokens, ...event }: ModelEvent): ModelRow {
  const base = { key, tenant, at, tokens };
  if (kind !== 'entry') {
    return { ...base, outcome: kind, prompt: event.prompt, completion: event.completion };
  }
  const entry = JSON.parse(facts) as {
    outcome: string;
    promptTokens: number;
    completionTokens: number;
  };
  const { outcome, promptTokens: prompt, completionTokens: completion } = entry;
  return { ...base, outcome, prompt, completion };
}

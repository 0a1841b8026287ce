import type { Database, RootDatabase } from 'lmdb';
import type { KeyRow, ModelsHead, TenantRow, Trust, UpstreamModels } from './records.ts';

export type Show = Readonly<Record<string, unknown>>;

/** The tables of DESIGN §4 as both sides open them; made by the writer, so that readers find them. */
export interface SharedTables {
  /** Small values under fixed names. */
  readonly trust: Database<Trust | number, 'trust' | 'generation'>;
  /** By public id. */
  readonly directory: Database<KeyRow, string>;
  /** By tenant id. */
  readonly tenants: Database<TenantRow, string>;
  /** The head, and one body for each upstream. */
  readonly models: Database<ModelsHead | UpstreamModels, 'head' | number>;
  /** Replies of /api/show by upstream and canonical name: large, and seldom read. */
  readonly shows: Database<Show, [number, string]>;
}

export const MAX_TABLES = 8;

export function openTables(root: RootDatabase): SharedTables {
  const options = { encoding: 'json' } as const;
  return {
    trust: root.openDB('trust', options),
    directory: root.openDB('directory', options),
    tenants: root.openDB('tenants', options),
    models: root.openDB('models', options),
    shows: root.openDB('shows', options),
  };
}

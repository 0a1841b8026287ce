import type { Database, RootDatabase } from 'lmdb';
import type { ModelsHead, Trust, UpstreamModels } from './records.ts';

export type Show = Readonly<Record<string, unknown>>;

/** The tables of DESIGN §4 as both sides open them; made by the writer, so that readers find them. */
export interface SharedTables {
  /** Small values under fixed names. */
  readonly trust: Database<Trust | number, 'trust' | 'generation'>;
  /** By public id: a KeyRow as JSON, so that a row can be compared without being read. */
  readonly directory: Database<string, string>;
  /** By tenant id: a TenantRow as JSON. */
  readonly tenants: Database<string, string>;
  /** The head, and one body for each upstream. */
  readonly models: Database<ModelsHead | UpstreamModels, 'head' | number>;
  /** Replies of /api/show by upstream and canonical name: large, and seldom read. */
  readonly shows: Database<Show, [number, string]>;
}

export const MAX_TABLES = 8;

export function openTables(root: RootDatabase): SharedTables {
  const json = { encoding: 'json' } as const;
  const text = { encoding: 'string' } as const;
  return {
    trust: root.openDB('trust', json),
    directory: root.openDB('directory', text),
    tenants: root.openDB('tenants', text),
    models: root.openDB('models', json),
    shows: root.openDB('shows', json),
  };
}

interface PageCounts {
  readonly pageSize: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

/** What the rows of now take, in bytes; walks the list of free pages. */
export function readLiveBytes(tables: SharedTables): number {
  let bytes = 0;
  for (const table of Object.values(tables) as SharedTables[keyof SharedTables][]) {
    const counts = table.getStats() as PageCounts;
    const { treeBranchPageCount, treeLeafPageCount, overflowPages } = counts;
    bytes += (treeBranchPageCount + treeLeafPageCount + overflowPages) * counts.pageSize;
  }
  return bytes;
}

import { open } from 'lmdb';
import type { KeyRow, ModelsHead, TenantRow, Trust, UpstreamModels } from './records.ts';
import { makeRowCache } from './row-cache.ts';
import { MAX_TABLES, openTables } from './shared-tables.ts';
import type { Show } from './shared-tables.ts';

/**
 * A worker's side of shared memory: microseconds, no IPC, no network. What it reads is a snapshot
 * that stands until `refresh`, which comes first in every request and again after every wait. Rows
 * are handed out again while the directory has not changed: nobody may write to them.
 */
export interface SharedReader {
  refresh(): void;
  readTrust(): Trust | undefined;
  /** Rises with every change of the directory; 0 before the first. As of the last refresh. */
  readGeneration(): number;
  readKey(publicId: string): KeyRow | undefined;
  readTenant(tenantId: string): TenantRow | undefined;
  readModelsHead(): ModelsHead | undefined;
  /** `upstream`: position in OLLAMA_URL. */
  readUpstreamModels(upstream: number): UpstreamModels | undefined;
  /** `key`: the canonical name. */
  readShow(upstream: number, key: string): Show | undefined;
  close(): Promise<void>;
}

/** Opens the primary's file to read only. Throws if it is not there. */
export function openShared(path: string): SharedReader {
  const root = open({ path, readOnly: true, maxDbs: MAX_TABLES });
  const { trust, directory, tenants, models, shows } = openTables(root);
  const keyRows = makeRowCache<KeyRow>((publicId) => directory.get(publicId));
  const tenantRows = makeRowCache<TenantRow>((tenantId) => tenants.get(tenantId));
  // lmdb may take a newer snapshot by itself between two turns. A row that is newer than the
  // generation that it is remembered for is forgotten with the next refresh; never the reverse.
  let generation: number | undefined;
  const readGeneration = () =>
    (generation ??= (trust.get('generation') as number | undefined) ?? 0);

  return {
    refresh: () => {
      generation = undefined;
      root.resetReadTxn();
    },
    readTrust: () => trust.get('trust') as Trust | undefined,
    readGeneration,
    readKey: (publicId) => keyRows(publicId, readGeneration()),
    readTenant: (tenantId) => tenantRows(tenantId, readGeneration()),
    readModelsHead: () => models.get('head') as ModelsHead | undefined,
    readUpstreamModels: (upstream) => models.get(upstream) as UpstreamModels | undefined,
    readShow: (upstream, key) => shows.get([upstream, key]),
    close: () => root.close(),
  };
}

import { open } from 'lmdb';
import type { Database } from 'lmdb';
import type { KeyRow, ModelsHead, TenantRow, Trust, UpstreamModels } from './records.ts';
import { makeSharedFile, removeSharedFile, removeStaleFiles } from './shared-file.ts';
import { MAX_TABLES, openTables } from './shared-tables.ts';
import type { SharedTables, Show } from './shared-tables.ts';

export interface Changes {
  readonly keys: Iterable<KeyRow>;
  readonly tenants: Iterable<TenantRow>;
}

/**
 * The primary's side of shared memory (DESIGN §4): the only writer. Every write is one transaction
 * and visible to readers when the call returns; one that fails throws and changed nothing.
 */
export interface SharedWriter {
  readonly path: string;
  /** Only after everything that was read before has been written. */
  putTrust(trust: Trust): void;
  /**
   * The whole directory: rows that are not given are removed. Raises the generation. Gives the keys
   * that were active before and are revoked now.
   */
  replaceDirectory(keys: Iterable<KeyRow>, tenants: Iterable<TenantRow>): readonly KeyRow[];
  /** Raises the generation. */
  applyChanges(changes: Changes): void;
  /** `bodies`: the upstreams whose models changed; others stay. Shows of models gone are dropped. */
  putModels(head: ModelsHead, bodies: ReadonlyMap<number, UpstreamModels>): void;
  /** `key`: the canonical name. */
  putShow(upstream: number, key: string, show: Show): void;
  /** Frees the slots of killed readers, which would make the file grow. Returns how many. */
  checkReaders(): number;
  /** Removes the file. Readers that have it open keep what they see. */
  close(): Promise<void>;
}

/** Makes a fresh file in a tmpfs directory. Throws if that cannot be done. */
export function createShared(directory: string): SharedWriter {
  removeStaleFiles(directory);
  const path = makeSharedFile(directory);
  // Nothing here outlives the host, so nothing is synced; lmdb demands the other flag with it.
  const root = open({ path, noSync: true, overlappingSync: false, maxDbs: MAX_TABLES });
  const tables = openTables(root);
  const write = (act: () => void) => {
    root.transactionSync(act);
  };

  return {
    path,
    putTrust: (trust) => {
      write(() => {
        tables.trust.putSync('trust', trust);
      });
    },
    replaceDirectory: (keys, tenants) => {
      const revoked: KeyRow[] = [];
      write(() => {
        const noted = noteRevoked(tables.directory, keys, revoked);
        replaceAll(tables.directory, noted, (row) => row.publicId);
        replaceAll(tables.tenants, tenants, (row) => row.tenantId);
        raiseGeneration(tables);
      });
      return revoked;
    },
    applyChanges: (changes) => {
      write(() => {
        applyChanges(tables, changes);
      });
    },
    putModels: (head, bodies) => {
      write(() => {
        putModels(tables, head, bodies);
      });
    },
    putShow: (upstream, key, show) => {
      write(() => {
        tables.shows.putSync([upstream, key], show);
      });
    },
    checkReaders: () => root.readerCheck(),
    close: async () => {
      removeSharedFile(path);
      await root.close();
    },
  };
}

function applyChanges(tables: SharedTables, changes: Changes): void {
  for (const row of changes.keys) tables.directory.putSync(row.publicId, row);
  for (const row of changes.tenants) tables.tenants.putSync(row.tenantId, row);
  raiseGeneration(tables);
}

function putModels(
  tables: SharedTables,
  head: ModelsHead,
  bodies: ReadonlyMap<number, UpstreamModels>,
): void {
  for (const [upstream, body] of bodies) {
    tables.models.putSync(upstream, body);
    const present = new Set(body.models.map((entry) => entry.key));
    for (const key of [...tables.shows.getKeys()]) {
      if (key[0] === upstream && !present.has(key[1])) tables.shows.removeSync(key);
    }
  }
  tables.models.putSync('head', head);
}

/** Passes rows on before they are written, and notes those that end by it. */
function* noteRevoked(
  table: SharedTables['directory'],
  keys: Iterable<KeyRow>,
  revoked: KeyRow[],
): Iterable<KeyRow> {
  for (const row of keys) {
    if (row.status === 'revoked' && table.get(row.publicId)?.status === 'active') revoked.push(row);
    yield row;
  }
}

function replaceAll<Row>(
  table: Database<Row, string>,
  rows: Iterable<Row>,
  keyOf: (row: Row) => string,
): void {
  const present = new Set<string>();
  for (const row of rows) {
    present.add(keyOf(row));
    table.putSync(keyOf(row), row);
  }
  for (const key of [...table.getKeys()]) {
    if (!present.has(key)) table.removeSync(key);
  }
}

/** What workers remember of unknown ids is forgotten when this rises. */
function raiseGeneration(tables: SharedTables): void {
  const last = tables.trust.get('generation');
  tables.trust.putSync('generation', typeof last === 'number' ? last + 1 : 1);
}

import { closeSync, fstatSync, openSync } from 'node:fs';
import { open } from 'lmdb';
import type { KeyRow, ModelsHead, TenantRow, Trust, UpstreamModels } from './records.ts';
import { makeSharedFile, removeSharedFile, removeStaleFiles } from './shared-file.ts';
import { nameIoErrors } from './shared-io-error.ts';
import { MAX_TABLES, openTables, readLiveBytes } from './shared-tables.ts';
import type { SharedTables, Show } from './shared-tables.ts';
import { makeSizeGuard, SPARE_BYTES } from './size-guard.ts';
import { writeAll, writeChanges } from './write-rows.ts';
import type { Changes } from './write-rows.ts';

/**
 * The primary's side of shared memory (DESIGN §4): the only writer. Every write is one transaction
 * and visible to readers when the call returns; one that fails throws and changed nothing. It fails
 * in a full tmpfs and at the bound of size-guard.ts.
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

export interface SharedOptions {
  /** How far the file may grow beyond its rows. */
  readonly spareBytes?: number;
}

/** Makes a fresh file in a tmpfs directory. Throws if that cannot be done, and leaves nothing then. */
export function createShared(directory: string, options: SharedOptions = {}): SharedWriter {
  removeStaleFiles(directory);
  const path = makeSharedFile(directory);
  try {
    return nameIoErrors(() => openWriter(path, options.spareBytes ?? SPARE_BYTES));
  } catch (error) {
    removeSharedFile(path);
    throw error;
  }
}

function openWriter(path: string, spareBytes: number): SharedWriter {
  // Nothing here outlives the host, so nothing is synced; lmdb demands the other flag with it.
  const root = open({ path, noSync: true, overlappingSync: false, maxDbs: MAX_TABLES });
  const tables = openTables(root);
  const file = openSync(path, 'r');
  const requireRoom = makeSizeGuard(
    { readBytes: () => fstatSync(file).size, readLiveBytes: () => readLiveBytes(tables) },
    spareBytes,
  );
  const write = <T>(act: () => T): T => {
    requireRoom();
    return nameIoErrors(() => root.transactionSync(act));
  };

  return {
    path,
    putTrust: (trust) => {
      write(() => {
        tables.trust.putSync('trust', trust);
      });
    },
    replaceDirectory: (keys, tenants) =>
      write(() => {
        const revoked = writeAll(tables, { keys, tenants });
        raiseGeneration(tables);
        return revoked;
      }),
    applyChanges: (changes) => {
      write(() => {
        writeChanges(tables, changes);
        raiseGeneration(tables);
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
      closeSync(file);
      await root.close();
    },
  };
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

/** What workers remember of unknown ids and of rows is worth nothing any more when this rises. */
function raiseGeneration(tables: SharedTables): void {
  const last = tables.trust.get('generation');
  tables.trust.putSync('generation', typeof last === 'number' ? last + 1 : 1);
}

import { LRUCache } from 'lru-cache';

/** Decoded rows of one table, each for the generation of the directory that it was read in. */
export type ReadRow<Row> = (key: string, generation: number) => Row | undefined;

/** As many as a worker remembers verifications. */
const MAX_ROWS = 10_000;

/**
 * Decodes a row once a generation: the generation rises with every change of the directory, in the
 * same transaction, so a row that was read in it is the row. What is not there is not remembered.
 */
export function makeRowCache<Row>(
  readText: (key: string) => string | undefined,
  maxRows = MAX_ROWS,
): ReadRow<Row> {
  const entries = new LRUCache<string, { readonly generation: number; readonly row: Row }>({
    max: maxRows,
  });
  return (key, generation) => {
    const entry = entries.get(key);
    if (entry?.generation === generation) return entry.row;
    const text = readText(key);
    if (text === undefined) return undefined;
    const row = JSON.parse(text) as Row;
    entries.set(key, { generation, row });
    return row;
  };
}

import type { KeyRow, TenantRow } from './records.ts';
import type { SharedTables } from './shared-tables.ts';

type Table = SharedTables['directory'];

export interface Changes {
  readonly keys: Iterable<KeyRow>;
  readonly tenants: Iterable<TenantRow>;
}

/** Rows that are as they were cost no page: a load after a reconnect changes few. */
export function writeChanges(tables: SharedTables, { keys, tenants }: Changes): void {
  for (const row of keys) put(tables.directory, row.publicId, row);
  for (const row of tenants) put(tables.tenants, row.tenantId, row);
}

/** The rows and no others. Gives the keys that were active before and are revoked now. */
export function writeAll(tables: SharedTables, { keys, tenants }: Changes): readonly KeyRow[] {
  const revoked: KeyRow[] = [];
  replace(
    tables.directory,
    keys,
    (row) => row.publicId,
    (row, before) => {
      if (row.status === 'revoked' && isActive(before)) revoked.push(row);
    },
  );
  replace(tables.tenants, tenants, (row) => row.tenantId);
  return revoked;
}

function replace<Row>(
  table: Table,
  rows: Iterable<Row>,
  keyOf: (row: Row) => string,
  onChange?: (row: Row, before: string) => void,
): void {
  const present = new Set<string>();
  for (const row of rows) {
    const key = keyOf(row);
    present.add(key);
    const before = put(table, key, row);
    if (before !== undefined) onChange?.(row, before);
  }
  for (const key of [...table.getKeys()]) {
    if (!present.has(key)) table.removeSync(key);
  }
}

/** What a changed row was before; undefined for one that is new or the same. */
function put(table: Table, key: string, row: unknown): string | undefined {
  const text = JSON.stringify(row);
  const before = table.get(key);
  if (before === text) return undefined;
  table.putSync(key, text);
  return before;
}

function isActive(text: string): boolean {
  return (JSON.parse(text) as KeyRow).status === 'active';
}

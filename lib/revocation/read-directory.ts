import type { KeyRow, TenantRow } from '../shared/records.ts';
import type { PostgresClient } from '../store/postgres.ts';
import { refuseStandby } from '../store/standby.ts';
import { POINT } from './read-changes.ts';
import type { PointRow, ReadPoint } from './read-changes.ts';
import { KEY_JSON, KEY_TABLES, TENANT_JSON, TENANT_TABLES } from './row-json.ts';

export interface WholeDirectory {
  readonly keys: readonly KeyRow[];
  readonly tenants: readonly TenantRow[];
  /** Later changes are those that this snapshot did not see. */
  readonly point: ReadPoint;
}

const BATCH_ROWS = 5_000;

/**
 * Every key and tenant as of one snapshot, in batches. Rejects as the connection does, or with
 * StandbyError.
 */
export async function readDirectory(client: PostgresClient): Promise<WholeDirectory> {
  await client.query('begin isolation level repeatable read read only');
  const { rows } = await client.query<PointRow>(`select ${POINT}`);
  const [row] = rows;
  if (row === undefined) throw new TypeError('Postgres gave no snapshot');
  refuseStandby(row);
  const { snapshot, session, readAtMs } = row;
  const keys = await readAll<KeyRow>(client, `select ${KEY_JSON} as row from ${KEY_TABLES}`);
  const tenants = await readAll<TenantRow>(
    client,
    `select ${TENANT_JSON} as row from ${TENANT_TABLES}`,
  );
  await client.query('commit');
  return { keys, tenants, point: { snapshot, session, readAtMs } };
}

async function readAll<Row>(client: PostgresClient, select: string): Promise<readonly Row[]> {
  const all: Row[] = [];
  await client.query(`declare directory cursor for ${select}`);
  for (;;) {
    const { rows } = await client.query<{ row: Row }>(`fetch ${BATCH_ROWS} from directory`);
    for (const { row } of rows) all.push(row);
    if (rows.length < BATCH_ROWS) break;
  }
  await client.query('close directory');
  return all;
}

import type { KeyRow, TenantRow } from '../shared/records.ts';
import type { PostgresClient } from '../store/postgres.ts';
import { refuseStandby } from '../store/standby.ts';
import { cutAfter } from './bounded.ts';
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

type Ask = <Row extends object>(sql: string) => Promise<readonly Row[]>;

/**
 * Every key and tenant as of one snapshot, in batches. Breaks the connection if one answer takes longer
 * than `withinMs`, however many there are. Rejects as the connection does, or with StandbyError.
 */
export async function readDirectory(
  client: PostgresClient,
  withinMs: number,
): Promise<WholeDirectory> {
  const ask: Ask = async <Row extends object>(sql: string) => {
    const { rows } = await cutAfter(client, withinMs, client.query<Row>(sql));
    return rows;
  };
  await ask('begin isolation level repeatable read read only');
  const [row] = await ask<PointRow>(`select ${POINT}`);
  if (row === undefined) throw new TypeError('Postgres gave no snapshot');
  refuseStandby(row);
  const { snapshot, session, readAtMs } = row;
  const keys = await readAll<KeyRow>(ask, `select ${KEY_JSON} as row from ${KEY_TABLES}`);
  const tenants = await readAll<TenantRow>(
    ask,
    `select ${TENANT_JSON} as row from ${TENANT_TABLES}`,
  );
  await ask('commit');
  return { keys, tenants, point: { snapshot, session, readAtMs } };
}

async function readAll<Row>(ask: Ask, select: string): Promise<readonly Row[]> {
  const all: Row[] = [];
  await ask(`declare directory cursor for ${select}`);
  for (;;) {
    const rows = await ask<{ row: Row }>(`fetch ${BATCH_ROWS} from directory`);
    for (const { row } of rows) all.push(row);
    if (rows.length < BATCH_ROWS) break;
  }
  await ask('close directory');
  return all;
}

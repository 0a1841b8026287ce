import type { Connection } from '../store/postgres.ts';

const BATCH = 500;

/** Deletes some entries whose time is over (SPEC §11); returns how many. */
export async function deleteExpiredPrompts(connection: Connection): Promise<number> {
  const { rowCount } = await connection.query(DELETE);
  return rowCount ?? 0;
}

const DELETE = `
  delete from gateway.prompt_log where id in (
    select id from gateway.prompt_log where expires_at <= now()
    order by expires_at limit ${BATCH}
  )`;

import type { Connection } from '../store/postgres.ts';

/** Takes away some of the changes that every gateway has read long since; returns how many. */
export async function pruneChanges(connection: Connection): Promise<number> {
  const { rows } = await connection.query<{ pruned: number }>(
    'select gateway.prune_changes() as pruned',
  );
  return rows[0]?.pruned ?? 0;
}

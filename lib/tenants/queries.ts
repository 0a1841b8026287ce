/**
 * What the acts need of Postgres: a pool, a client inside a transaction, anything that runs one
 * statement. Every act writes in one statement, and reads before and after it; whoever must not lose
 * what is read after it brings a transaction.
 */
export interface Queries {
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- who writes the SQL names its row
  query<Row extends object>(
    text: string,
    values?: unknown[],
  ): Promise<{ readonly rows: readonly Row[] }>;
}

/** Reads the one row that a statement always returns. Throws when it did not. */
export function onlyRow<Row>(result: { readonly rows: readonly Row[] }): Row {
  const [row] = result.rows;
  if (row === undefined) throw new Error('a statement returned no row');
  return row;
}

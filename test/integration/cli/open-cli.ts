import { PEPPER } from '../../support/launch-gateway.ts';
import { runNzgw } from '../../support/run-nzgw.ts';
import type { Run } from '../../support/run-nzgw.ts';
import { makeEmptyDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';

/** A database of its own and `nzgw` pointed at it. */
export interface Cli {
  readonly database: TestDatabase;
  readonly env: Readonly<Record<string, string>>;
  run(...args: readonly string[]): Promise<Run>;
}

/** The database has no schema yet: `nzgw migrate` is the first thing an operator does. */
export async function openCli(): Promise<Cli> {
  const database = await makeEmptyDatabase();
  const env = { DATABASE_URL: database.url, NZGW_KEY_PEPPER: PEPPER };
  return { database, env, run: (...args) => runNzgw(args, { env }) };
}

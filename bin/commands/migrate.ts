import { makeClient } from '../../lib/store/postgres.ts';
import type { PostgresClient } from '../../lib/store/postgres.ts';
import { migrate as applyMigrations, readMigrationStatus } from '../../lib/store/migrations.ts';
import type { MigrationStatus } from '../../lib/store/migrations.ts';
import { defineCommand } from '../program/command.ts';
import type { Context } from '../program/command.ts';
import { toDatabaseError } from '../program/database-error.ts';
import { EXIT } from '../program/exit-code.ts';
import type { ExitCode } from '../program/exit-code.ts';
import { wholeNumber } from '../values/count.ts';
import { readOptions } from '../values/value.ts';
import { toTime } from '../views/limits-view.ts';

const CONNECT_MS = 10_000;
/** A migration may rewrite large tables, and may wait for another host's. */
const STATEMENT_MS = 3_600_000;
const MAX_SHARDS = 99;

export const migrate = defineCommand({
  name: 'migrate',
  summary: 'Brings the schema of the database up to date.',
  positionals: [],
  options: [
    { name: 'status', meaning: 'Change nothing; exit 8 if something is pending or wrong.' },
    {
      name: 'shards',
      placeholder: 'N',
      meaning: 'Parts of Redis, fixed by the first migration: 1 (default), 16 for Redis Cluster.',
    },
  ],
  examples: ['nzgw migrate', 'nzgw migrate --status', 'nzgw migrate --shards 16'],
  needs: ['databaseUrl'],
  async run(context) {
    const { shards } = readOptions(
      { shards: wholeNumber(1, MAX_SHARDS).optional() },
      context.options,
    );
    try {
      if (context.options['status'] === true) return await showStatus(context);
      return await apply(context, shards);
    } catch (error) {
      throw toDatabaseError(error);
    }
  },
});

async function apply(
  context: Context<'databaseUrl'>,
  shards: number | undefined,
): Promise<ExitCode> {
  await withClient(context, CONNECT_MS, (client) => client.query('select 1'));
  await withClient(context, STATEMENT_MS, async (client) => {
    const applied = await applyMigrations(client, shards === undefined ? {} : { shards });
    const status = await readMigrationStatus(client);
    const names = applied.map(({ name }) => name);
    context.output.answer(toDocument(status, names), () =>
      names.length === 0 ? ['The schema is up to date.'] : names.map((name) => `applied ${name}`),
    );
  });
  return EXIT.done;
}

async function showStatus(context: Context<'databaseUrl'>): Promise<ExitCode> {
  const status = await withClient(context, CONNECT_MS, readMigrationStatus);
  const { output } = context;
  output.answer(toDocument(status, []), () => [
    ...status.applied.map(({ name, appliedAt }) => `applied  ${name}  ${toTime(appliedAt)}`),
    ...status.pending.map(({ name }) => `pending  ${name}`),
    ...status.edited.map(({ name }) => `edited   ${name}: not what was applied`),
    ...status.unknown.map(({ name }) => `unknown  ${name}: of a newer version`),
  ]);
  const isGood = [status.pending, status.edited, status.unknown].every(
    ({ length }) => length === 0,
  );
  if (status.pending.length > 0) output.note('Next: nzgw migrate');
  return isGood ? EXIT.done : EXIT.checkFailed;
}

function toDocument(status: MigrationStatus, appliedNow: readonly string[]): object {
  return {
    applied: status.applied.map(({ name }) => name),
    applied_now: appliedNow,
    pending: status.pending.map(({ name }) => name),
    edited: status.edited.map(({ name }) => name),
    unknown: status.unknown.map(({ name }) => name),
    shards: status.shards,
  };
}

async function withClient<T>(
  context: Context<'databaseUrl'>,
  timeoutMs: number,
  act: (client: PostgresClient) => Promise<T>,
): Promise<T> {
  const { databaseUrl: url } = context.settings;
  const client = makeClient({ url, applicationName: 'nzgw migrate', timeoutMs });
  try {
    await client.connect();
    return await act(client);
  } finally {
    await client.end();
  }
}

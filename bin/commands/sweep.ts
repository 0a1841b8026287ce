import { toUtcDay } from '../../lib/retention/read-audit-days.ts';
import { sweep as sweepAll } from '../../lib/retention/sweep.ts';
import type { Swept } from '../../lib/retention/sweep.ts';
import { noteSwept, openSweepSession, waitLockSweep } from '../../lib/retention/sweep-session.ts';
import type { Connection, Pool } from '../../lib/store/postgres.ts';
import { CommandError } from '../program/command-error.ts';
import { defineCommand } from '../program/command.ts';
import { withDatabase } from '../program/database.ts';
import { EXIT } from '../program/exit-code.ts';
import { renderSweep, toSweepDocument } from '../views/sweep-view.ts';

/** No statement of a sweep takes long; the wait for another one comes before. */
const STATEMENT_MS = 30_000;
const WAIT_MS = 10_000;

export const sweep = defineCommand({
  name: 'sweep',
  summary:
    'Deletes what is beyond its retention, at once; exit 5 if another sweep or reader is in the way.',
  positionals: [],
  options: [],
  examples: ['nzgw sweep', 'nzgw sweep --json'],
  needs: ['databaseUrl'],
  async run(context) {
    const { clock, output } = context;
    const startMs = clock.monotonicMs();
    const swept = await withDatabase(
      context,
      (_, pool) => withSession(pool, (client) => sweepNow(client, toUtcDay(clock.wallMs()))),
      { timeoutMs: STATEMENT_MS },
    );
    const document = toSweepDocument(swept, clock.monotonicMs() - startMs);
    output.answer(document, () => renderSweep(document));
    if (swept.finished) return EXIT.done;
    output.warn('Days were in use and have been left for later. Next: nzgw sweep');
    return EXIT.conflict;
  },
});

/** The lock lives on the session, and ends with it. */
async function withSession<T>(pool: Pool, act: (client: Connection) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // The query that meets the end of a connection tells of it.
  client.on('error', () => undefined);
  try {
    return await act(client);
  } finally {
    client.release(true);
  }
}

async function sweepNow(client: Connection, wallDay: string): Promise<Swept> {
  if (!(await waitLockSweep(client, WAIT_MS))) {
    throw new CommandError(
      `another sweep is under way, and was not done after ${WAIT_MS / 1_000} s`,
      {
        exitCode: EXIT.conflict,
        code: 'sweep_under_way',
        hint: 'it does the same; the log of a gateway says when it is done (swept)',
      },
    );
  }
  await openSweepSession(client);
  const swept = await sweepAll(client, { wallDay, mayGoOn: () => true });
  // The exit code says what it is; all else that could be deleted is gone.
  if (swept.trouble) throw swept.trouble;
  if (swept.finished) await noteSwept(client, swept.today);
  return swept;
}

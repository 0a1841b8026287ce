import type { Clock } from '../time/clock.ts';
import { makePause } from '../time/pause.ts';
import type { Connection, Pool } from './postgres.ts';

/** The answer to a COMMIT was lost, and nobody could be asked what became of it. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
}

/** A server that ended its connections takes new ones within so long, or is away. */
const ASK_WITHIN_MS = 3_000;
const ASK_EVERY_MS = 100;

/**
 * An act in one transaction, whose result is complete before it is done: what goes wrong before the
 * COMMIT undoes all of it. Where the answer to the COMMIT is lost, Postgres is asked on another
 * connection what became of it. Throws what the act throws, what broke the connection (nothing is
 * done then), or OutcomeUnknown.
 */
export async function transact<T>(
  pool: Pool,
  clock: Clock,
  act: (connection: Connection) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  // The query that meets the end of a connection tells of it.
  client.on('error', ignore);
  let prepared: { readonly done: T; readonly xid: string };
  try {
    await client.query('begin');
    prepared = { done: await act(client), xid: await readXid(client) };
  } catch (error) {
    // With its connection the transaction is gone.
    client.release(true);
    throw error;
  }
  try {
    await client.query('commit');
  } catch (error) {
    client.release(true);
    await requireCommitted(pool, clock, prepared.xid, error);
    return prepared.done;
  }
  client.off('error', ignore);
  client.release();
  return prepared.done;
}

async function readXid(connection: Connection): Promise<string> {
  const { rows } = await connection.query<{ xid: string }>(
    'select pg_current_xact_id()::text as xid',
  );
  return rows[0]?.xid ?? '';
}

/** Throws the cause if that transaction was undone, OutcomeUnknown if nobody says. */
async function requireCommitted(
  pool: Pool,
  clock: Clock,
  xid: string,
  cause: unknown,
): Promise<void> {
  const pause = makePause();
  const endMs = clock.monotonicMs() + ASK_WITHIN_MS;
  do {
    const status = await readStatus(pool, xid).catch(() => undefined);
    if (status === 'committed') return;
    if (status === 'aborted') throw cause;
    await pause.wait(ASK_EVERY_MS);
  } while (clock.monotonicMs() < endMs);
  throw new OutcomeUnknown('a COMMIT was not answered', { cause });
}

/** `committed`, `aborted`, or `in progress`. */
async function readStatus(pool: Pool, xid: string): Promise<string | null | undefined> {
  const { rows } = await pool.query<{ status: string | null }>(
    'select pg_xact_status($1::xid8) as status',
    [xid],
  );
  return rows[0]?.status;
}

function ignore(): void {
  // Told by the query.
}

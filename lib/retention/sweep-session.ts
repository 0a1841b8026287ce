import { LOCK_CLASS, SWEEP_LOCK } from '../store/advisory-locks.ts';
import type { Connection } from '../store/postgres.ts';
import { readSqlState } from '../store/postgres.ts';

/** So long others may have to wait behind a lock that a sweep waits for. */
const LOCK_MS = 500;
/** A host that died without a word must not keep the lock until TCP notices. */
const SILENCE_MS = 30_000;

/** Makes a session one that may sweep: it never waits long for a lock, and ends if it is silent. */
export async function openSweepSession(client: Connection): Promise<void> {
  await client.query(
    `select set_config('lock_timeout', $1, false), set_config('idle_session_timeout', $2, false)`,
    [`${LOCK_MS}ms`, `${SILENCE_MS}ms`],
  );
}

/** True if nobody else sweeps: nobody will, until this session ends. */
export async function tryLockSweep(client: Connection): Promise<boolean> {
  const { rows } = await client.query<{ ours: boolean }>(
    'select pg_try_advisory_lock($1, $2) as ours',
    [LOCK_CLASS, SWEEP_LOCK],
  );
  return rows[0]?.ours === true;
}

/** The same, but waits for so long. */
export async function waitLockSweep(client: Connection, withinMs: number): Promise<boolean> {
  await client.query(`select set_config('lock_timeout', $1, false)`, [`${withinMs}ms`]);
  try {
    await client.query('select pg_advisory_lock($1, $2)', [LOCK_CLASS, SWEEP_LOCK]);
    return true;
  } catch (error) {
    if (readSqlState(error) === '55P03') return false;
    throw error;
  }
}

/** The last sweep that was done to its end, by whichever host. */
export interface LastSweep {
  /** It was of a day before that one. */
  readonly due: boolean;
  /** Since its end. */
  readonly ageMs: number;
}

/**
 * Undefined: there was none, or only one whose day is beyond tomorrow: two clocks were wrong, and nothing
 * would be swept until that day. `wallDay` is the caller's UTC day.
 */
export async function readLastSweep(
  client: Connection,
  wallDay: string,
): Promise<LastSweep | undefined> {
  const { rows } = await client.query<LastSweep>(
    `select day < least($1::date, (now() at time zone 'UTC')::date) as due,
       (extract(epoch from now() - finished_at) * 1000)::bigint as "ageMs"
     from gateway_meta.sweeps where day <= (now() at time zone 'UTC')::date + 1`,
    [wallDay],
  );
  return rows[0];
}

/** Notes that a sweep of that day was done to its end. */
export async function noteSwept(client: Connection, today: string): Promise<void> {
  await client.query(
    `insert into gateway_meta.sweeps (day) values ($1::date)
     on conflict (single) do update set day = excluded.day, finished_at = now()`,
    [today],
  );
}

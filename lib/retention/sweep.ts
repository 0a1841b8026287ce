import { readSqlState } from '../store/postgres.ts';
import type { Connection } from '../store/postgres.ts';
import { deleteExpiredPrompts } from './delete-expired-prompts.ts';
import { readAuditDays } from './read-audit-days.ts';

/** What a sweep did. */
export interface Swept {
  /** The UTC day that it counted from. */
  readonly today: string;
  /** Days whose partitions were made, and dropped. */
  readonly made: readonly string[];
  readonly dropped: readonly string[];
  /** Days that somebody else was busy with, or was taken to be: they are for the next sweep. */
  readonly postponed: readonly string[];
  /** Days that Postgres refused for a reason of their own. */
  readonly refused: readonly string[];
  /** Deleted one by one: rows of dropped partitions are not counted. */
  readonly auditRows: number;
  readonly prompts: number;
  /** Nothing is left to do. */
  readonly finished: boolean;
  /** The first refusal of Postgres, of a day or of prompts. */
  readonly trouble: Error | undefined;
}

export interface SweepParts {
  /** The caller's UTC day. */
  readonly wallDay: string;
  /** Asked between two transactions; false ends the sweep there. */
  readonly mayGoOn: () => boolean;
}

const AUDIT_BATCH = 2_000;
const SEAL_BATCH = 5_000;
/** Others wait behind each try for a lock; after so many in vain no more days of a kind are tried. */
const MOST_BUSY = 3;
/** lock_not_available: somebody else was busy for longer than may be waited for. */
const BUSY = '55P03';
/** admin_shutdown and its like: the lock of this sweep is gone with its session. */
const SESSION_ENDS = '57P';

/**
 * Makes the partitions of today and the next seven days, deletes prompts whose time is over and audit
 * rows beyond their tenant's retention, and drops whole days beyond the longest (SPEC §11). Each
 * statement is a bounded transaction of its own, whole in itself: where one sweep ends, another goes
 * on, and what Postgres refuses for one day holds no other up. The session is one of
 * `openSweepSession`. Rejects as a connection does that is lost.
 */
export async function sweep(client: Connection, { wallDay, mayGoOn }: SweepParts): Promise<Swept> {
  const { today, toMake, toDrop, toThin } = await readAuditDays(client, wallDay);
  const made: string[] = [];
  const dropped: string[] = [];
  const postponed: string[] = [];
  const refused: string[] = [];
  let [auditRows, prompts] = [0, 0];
  let trouble: Error | undefined;

  async function doDays(
    days: readonly string[],
    act: (day: string) => Promise<unknown>,
  ): Promise<void> {
    let busy = 0;
    for (const day of days) {
      if (!mayGoOn()) return;
      const outcome = busy < MOST_BUSY ? await attempt(() => act(day)) : 'busy';
      if (outcome instanceof Error) {
        trouble ??= outcome;
        refused.push(day);
      } else if (outcome === 'busy') {
        busy += 1;
        postponed.push(day);
      }
    }
  }

  await doDays(toMake, async (day) => {
    await client.query('select gateway.ensure_audit_day($1::date)', [day]);
    made.push(day);
  });
  const promptsOutcome = await attempt(() =>
    repeat(mayGoOn, async () => {
      const deleted = await deleteExpiredPrompts(client);
      prompts += deleted;
      return deleted;
    }),
  );
  await doDays(toDrop, async (day) => {
    await repeat(mayGoOn, () => sealSome(client, day, today));
    if (mayGoOn() && (await dropDay(client, day, today))) dropped.push(day);
  });
  await doDays(toThin, (day) =>
    repeat(mayGoOn, async () => {
      const deleted = await deleteSome(client, day, today);
      auditRows += deleted;
      return deleted;
    }),
  );
  if (promptsOutcome instanceof Error) trouble ??= promptsOutcome;
  const isWhole = promptsOutcome === 'done' && postponed.length + refused.length === 0;
  return {
    ...{ today, made, dropped, postponed, refused, auditRows, prompts, trouble },
    finished: mayGoOn() && isWhole,
  };
}

/** An error: Postgres refused. Rejects where the session is lost. */
async function attempt(act: () => Promise<unknown>): Promise<'done' | 'busy' | Error> {
  try {
    await act();
    return 'done';
  } catch (error) {
    if (readSqlState(error) === BUSY) return 'busy';
    if (isRefusal(error)) return error;
    throw error;
  }
}

/** Whether Postgres refused one statement, and will hear the next. */
function isRefusal(error: unknown): error is Error {
  const state = readSqlState(error);
  return state !== undefined && !state.startsWith(SESSION_ENDS);
}

/** Until there is no more. */
async function repeat(mayGoOn: () => boolean, act: () => Promise<number>): Promise<void> {
  let done = 1;
  while (done > 0 && mayGoOn()) done = await act();
}

/** Early, so that nobody waits for it while the partition is dropped: it says no more than is true soon. */
async function sealSome(client: Connection, day: string, today: string): Promise<number> {
  const { rowCount } = await client.query(SEAL, [day, SEAL_BATCH, today]);
  return rowCount ?? 0;
}

async function dropDay(client: Connection, day: string, today: string): Promise<boolean> {
  const { rows } = await client.query<{ done: boolean }>(
    'select gateway.drop_audit_day($1::date, $2::date) as done',
    [day, today],
  );
  return rows[0]?.done === true;
}

async function deleteSome(client: Connection, day: string, today: string): Promise<number> {
  const { rows } = await client.query<{ deleted: number }>(
    'select gateway.delete_audit_rows($1::date, $2::date, $3) as deleted',
    [day, today, AUDIT_BATCH],
  );
  return rows[0]?.deleted ?? 0;
}

const SEAL = `
  with unsealed as (
    select tenant_id, key_id, model, day from gateway.token_ledger
    where day = $1::date and not sealed
      and day < $3::date - (select coalesce(max(audit_retention_days), 90) from gateway.tenants)
    order by tenant_id, key_id, model limit $2 for no key update
  )
  update gateway.token_ledger line set sealed = true from unsealed
  where line.tenant_id = unsealed.tenant_id and line.key_id = unsealed.key_id
    and line.model = unsealed.model and line.day = unsealed.day`;

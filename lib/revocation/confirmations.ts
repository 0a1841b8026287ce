import { SELECT_GATEWAYS } from '../store/advisory-locks.ts';
import { readSqlState } from '../store/postgres.ts';
import type { PostgresClient } from '../store/postgres.ts';
import type { Clock } from '../time/clock.ts';
import { makePause } from '../time/pause.ts';
import { CONFIRMED_CHANNEL } from './channels.ts';

/** How many gateways run, and how many of them said in time that they know of a revocation. */
export interface Confirmed {
  readonly gateways: number;
  readonly confirmed: number;
  /** Until the last of those confirmed, or until it was given up. */
  readonly ms: number;
}

export interface Confirmations {
  /**
   * Waits until every gateway that runs has read the log up to that transaction, at most `withinMs`.
   * A gateway that goes meanwhile is not waited for; one that comes has read all at its start.
   */
  wait(xid: string, withinMs: number): Promise<Confirmed>;
}

const LOOK_EVERY_MS = 100;
/** More than anybody waits for. */
const MAX_NOTICES = 10_000;

const IS_IN = 'select pg_visible_in_snapshot($1::xid8, $2::pg_snapshot) as known';

/**
 * Listens to what gateways say, from now on: so it comes before the revocation is written. `client`
 * is connected and used for nothing else meanwhile. Rejects as the connection does.
 */
export async function openConfirmations(
  client: PostgresClient,
  clock: Clock,
): Promise<Confirmations> {
  const pause = makePause();
  const notices: { readonly pid: number; readonly snapshot: string }[] = [];
  client.on('notification', ({ processId, payload = '' }) => {
    if (notices.length < MAX_NOTICES) notices.push({ pid: processId, snapshot: payload });
    pause.wake();
  });
  await client.query(`listen ${CONFIRMED_CHANNEL}`);

  /** Anybody may notify: what is no snapshot confirms nothing. */
  async function isIn(xid: string, snapshot: string): Promise<boolean> {
    const { rows } = await client
      .query<{ known: boolean }>(IS_IN, [xid, snapshot])
      .catch((error: unknown) => {
        if (isNoSnapshot(error)) return { rows: [] };
        throw error;
      });
    return rows[0]?.known === true;
  }

  return {
    async wait(xid, withinMs) {
      const startedMs = clock.monotonicMs();
      const known = new Map<number, number>();
      for (;;) {
        for (const { pid, snapshot } of notices.splice(0)) {
          if (!known.has(pid) && (await isIn(xid, snapshot))) {
            known.set(pid, clock.monotonicMs() - startedMs);
          }
        }
        const { rows } = await client.query<{ pid: number }>(SELECT_GATEWAYS);
        const times = rows.flatMap(({ pid }) => known.get(pid) ?? []);
        const passedMs = clock.monotonicMs() - startedMs;
        const isOver = times.length === rows.length;
        if (isOver || passedMs >= withinMs) {
          const ms = Math.round(isOver ? Math.max(0, ...times) : passedMs);
          return { gateways: rows.length, confirmed: times.length, ms };
        }
        await pause.wait(LOOK_EVERY_MS);
      }
    },
  };
}

function isNoSnapshot(error: unknown): boolean {
  const code = readSqlState(error);
  return code === '22P02' || code === '22003';
}

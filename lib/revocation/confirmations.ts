import { readSqlState } from '../store/postgres.ts';
import type { PostgresClient } from '../store/postgres.ts';
import type { Clock } from '../time/clock.ts';
import { makePause } from '../time/pause.ts';
import { CONFIRMED_CHANNEL } from './channels.ts';
import { watchGateways } from './watched-gateways.ts';

/** How many gateways may admit, and how many of them said in time that they know of a revocation. */
export interface Confirmed {
  readonly gateways: number;
  readonly confirmed: number;
  /** Until the last of those confirmed or was believed no more, or until it was given up. */
  readonly ms: number;
}

export interface Confirmations {
  /**
   * Waits until every gateway that runs has read the log up to that transaction, at most `withinMs`.
   * One that goes without a word is waited for until nobody believes what it said before; one that
   * comes has read all at its start.
   */
  wait(xid: string, withinMs: number): Promise<Confirmed>;
}

const LOOK_EVERY_MS = 100;
/** More than anybody waits for. */
const MAX_NOTICES = 10_000;

const IS_IN = 'select pg_visible_in_snapshot($1::xid8, $2::pg_snapshot) as known';

/**
 * Listens to what gateways say, from now on: so it comes before the revocation is written. `client`
 * is connected and used for nothing else meanwhile. `leaseMs`: the lease of the gateways, as far as is
 * known here. Rejects as the connection does.
 */
export async function openConfirmations(
  client: PostgresClient,
  clock: Clock,
  leaseMs: number,
): Promise<Confirmations> {
  const pause = makePause();
  const notices: { readonly pid: number; readonly snapshot: string }[] = [];
  client.on('notification', ({ processId, payload = '' }) => {
    if (notices.length < MAX_NOTICES) notices.push({ pid: processId, snapshot: payload });
    pause.wake();
  });
  await client.query(`listen ${CONFIRMED_CHANNEL}`);
  const watched = watchGateways(client, clock, leaseMs);
  await watched.look();

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
      const startedAtMs = clock.monotonicMs();
      const known = new Map<number, number>();
      let lapsedMs = 0;
      for (;;) {
        for (const { pid, snapshot } of notices.splice(0)) {
          if (!known.has(pid) && (await isIn(xid, snapshot))) {
            known.set(pid, clock.monotonicMs() - startedAtMs);
          }
        }
        const { running, gone, lapsed } = await watched.look();
        const passedMs = clock.monotonicMs() - startedAtMs;
        for (const pid of lapsed) if (!known.has(pid)) lapsedMs = passedMs;
        const times = running.flatMap((pid) => known.get(pid) ?? []);
        const gateways = running.length + gone.filter((pid) => !known.has(pid)).length;
        const isOver = times.length === gateways;
        if (isOver || passedMs >= withinMs) {
          const ms = Math.round(isOver ? Math.max(lapsedMs, ...times) : passedMs);
          return { gateways, confirmed: times.length, ms };
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

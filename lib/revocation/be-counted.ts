import { GATEWAY_LOCK, LOCK_CLASS } from '../store/advisory-locks.ts';
import type { PostgresClient } from '../store/postgres.ts';
import { cutAfter } from './bounded.ts';
import { IS_STANDBY, refuseStandby } from '../store/standby.ts';

/** Whoever may admit is connected and holds this. */
const BE_COUNTED = `
  select pg_advisory_lock_shared(${LOCK_CLASS}, ${GATEWAY_LOCK}), pg_backend_pid() as session,
    ${IS_STANDBY}`;

/**
 * Resolves to Postgres's process on which this gateway can be seen from now on. A server
 * that is no standby does not become one while a session of it is open. Rejects as the connection
 * does, or with StandbyError. Breaks the
 * connection if the answer takes longer than `withinMs`.
 */
export async function beCounted(client: PostgresClient, withinMs: number): Promise<number | null> {
  const asked = client.query<{ session: number; standby: boolean }>(BE_COUNTED);
  const { rows } = await cutAfter(client, withinMs, asked);
  const [counted] = rows;
  if (counted === undefined) return null;
  refuseStandby(counted);
  return counted.session;
}

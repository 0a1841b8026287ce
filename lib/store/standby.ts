/** This Postgres follows another one and can only be read; the text says so and can be shown. */
export class StandbyError extends Error {
  override readonly name = 'StandbyError';

  constructor() {
    super('Postgres is a standby (pg_is_in_recovery): DATABASE_URL must lead to the primary');
  }
}

/**
 * SQL of whether it is one, as `standby`. Its snapshots leave out what runs on the primary, as if that
 * were over: a revocation that is not committed yet would count as read, and be missed for good.
 */
export const IS_STANDBY = 'pg_is_in_recovery() as standby';

/** @throws StandbyError if a row with IS_STANDBY came from one */
export function refuseStandby({ standby }: { readonly standby: boolean }): void {
  if (standby) throw new StandbyError();
}

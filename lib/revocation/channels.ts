/** Postgres says here that the log of changes has grown (sql/000002_triggers.sql). */
export const CHANGES_CHANNEL = 'nzgw_changes';

/**
 * Gateways say here up to where they have read it, as the text of a `pg_snapshot`: who has written a
 * revocation knows by its transaction whether that is in it.
 */
export const CONFIRMED_CHANNEL = 'nzgw_confirmed';

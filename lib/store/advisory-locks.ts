/**
 * First number of the project's advisory locks in Postgres: "nz" in ASCII. The second is a shard, or
 * one of the numbers below zero. (nz, -2) is taken in SQL alone, by gateway.prune_changes().
 */
export const LOCK_CLASS = 0x6e7a;

/** Held, shared, by every gateway on the connection it reads changes on: so they can be counted. */
export const GATEWAY_LOCK = -1;

/**
 * SQL of the server processes on which gateways hold it, as `pid`. The view tells a number below zero
 * as an unsigned one.
 */
export const SELECT_GATEWAYS = `
  select pid from pg_locks
  where locktype = 'advisory' and granted
    and classid = ${LOCK_CLASS} and objid = ${GATEWAY_LOCK >>> 0} and objsubid = 2
    and database = (select oid from pg_database where datname = current_database())`;

/** Held by whoever sweeps: one at a time. */
export const SWEEP_LOCK = -3;

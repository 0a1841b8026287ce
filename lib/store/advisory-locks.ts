/**
 * First number of the project's advisory locks in Postgres: "nz" in ASCII. The second is a shard, or
 * one of the numbers below zero.
 */
export const LOCK_CLASS = 0x6e7a;

/** Held, shared, by every gateway on the connection it reads changes on: so they can be counted. */
export const GATEWAY_LOCK = -1;

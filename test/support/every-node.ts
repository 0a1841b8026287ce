import { ClusterRedis } from '../../lib/store/redis-cluster.ts';
import type { Redis } from '../../lib/store/redis.ts';

/**
 * What ioredis sends to any one node of a cluster because no key says to which: here it is meant for
 * the whole Redis, be it one server or several.
 */
export function listNodes(redis: Redis): readonly Redis[] {
  return redis instanceof ClusterRedis ? redis.listMasters() : [redis];
}

/** Empties it, functions and scripts apart. */
export async function flushAll(redis: Redis): Promise<void> {
  await Promise.all(listNodes(redis).map((node) => node.flushall()));
}

/** It forgets every script. */
export async function flushScripts(redis: Redis): Promise<void> {
  await Promise.all(listNodes(redis).map((node) => node.script('FLUSH')));
}

/** CONFIG SET, until it is started again. */
export async function setConfig(redis: Redis, name: string, value: string): Promise<void> {
  await Promise.all(listNodes(redis).map((node) => node.config('SET', name, value)));
}

/** A command that names no key, with what each node answers. */
export function callEveryNode(
  redis: Redis,
  command: string,
  ...args: readonly (string | number)[]
): Promise<readonly unknown[]> {
  return Promise.all(listNodes(redis).map((node) => node.call(command, ...args)));
}

/** All keys like `pattern`. */
export async function listKeys(redis: Redis, pattern: string): Promise<readonly string[]> {
  const found = await Promise.all(listNodes(redis).map((node) => node.keys(pattern)));
  return found.flat();
}

/** The sum over all nodes of a number that INFO tells, `total_reads_processed` of `stats`. */
export async function sumInfo(redis: Redis, section: string, field: string): Promise<number> {
  const texts = await Promise.all(listNodes(redis).map((node) => node.info(section)));
  const numbers = texts.map((text) => Number(text.split(`${field}:`)[1]?.split('\r')[0]));
  return numbers.reduce((sum, number) => sum + number, 0);
}

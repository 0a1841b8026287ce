import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { flushAll } from './every-node.ts';
import { isRunning } from './is-running.ts';
import { connectRedis } from './connect-redis.ts';
import type { OwnRedis } from './one-redis.ts';
import { until } from './until.ts';

/** A way in which Redis comes to know less than before, or to be another one. */
export interface RedisLoss {
  /** What has become of it. */
  readonly what: string;
  /** Some moments before. */
  prepare(redis: OwnRedis): Promise<void>;
  /** Resolves when Redis answers again. */
  lose(redis: OwnRedis): Promise<void>;
}

const DATA = 'appendonlydir';
const COPY = 'appendonlydir-before';

export const REDIS_LOSSES: readonly RedisLoss[] = [
  { what: 'killed, and started again with its file', prepare: doNothing, lose: restart },
  { what: 'killed, and started again without its data', prepare: doNothing, lose: startEmpty },
  { what: 'emptied by FLUSHALL', prepare: doNothing, lose: flush },
  { what: 'rolled back to an older copy of its file', prepare: copyData, lose: startFromCopy },
];

function doNothing(): Promise<void> {
  return Promise.resolve();
}

async function restart(redis: OwnRedis): Promise<void> {
  await kill(redis);
  await redis.restart();
}

async function startEmpty(redis: OwnRedis): Promise<void> {
  await kill(redis);
  for (const folder of redis.folders) await rm(join(folder, DATA), { recursive: true });
  await redis.restart();
}

async function flush({ url }: OwnRedis): Promise<void> {
  const client = await connectRedis(url);
  await flushAll(client);
  client.disconnect();
}

async function copyData(redis: OwnRedis): Promise<void> {
  for (const folder of redis.folders) {
    await rm(join(folder, COPY), { recursive: true, force: true });
    await cp(join(folder, DATA), join(folder, COPY), { recursive: true });
  }
}

async function startFromCopy(redis: OwnRedis): Promise<void> {
  await kill(redis);
  for (const folder of redis.folders) {
    await rm(join(folder, DATA), { recursive: true });
    await rename(join(folder, COPY), join(folder, DATA));
  }
  await redis.restart();
}

async function kill(redis: OwnRedis): Promise<void> {
  redis.signal('SIGKILL');
  await until(() => !redis.pids.some(isRunning), { withinMs: 2_000, what: 'Redis to be dead' });
}

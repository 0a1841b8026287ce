import { cp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isRunning } from './is-running.ts';
import { connectRedis } from './test-redis.ts';
import type { OwnRedis } from './test-redis.ts';
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
  await rm(join(folderOf(redis), DATA), { recursive: true });
  await redis.restart();
}

async function flush({ url }: OwnRedis): Promise<void> {
  const client = await connectRedis(url);
  await client.flushall();
  client.disconnect();
}

async function copyData(redis: OwnRedis): Promise<void> {
  const folder = folderOf(redis);
  await rm(join(folder, COPY), { recursive: true, force: true });
  await cp(join(folder, DATA), join(folder, COPY), { recursive: true });
}

async function startFromCopy(redis: OwnRedis): Promise<void> {
  const folder = folderOf(redis);
  await kill(redis);
  await rm(join(folder, DATA), { recursive: true });
  await rename(join(folder, COPY), join(folder, DATA));
  await redis.restart();
}

/** Its socket lies in the folder of its data. */
function folderOf({ url }: OwnRedis): string {
  return dirname(new URL(url).pathname);
}

async function kill({ pid }: OwnRedis): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until(() => !isRunning(pid), { withinMs: 2_000, what: 'Redis to be dead' });
}

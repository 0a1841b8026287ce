import type { SharedWriter } from '../shared/shared-writer.ts';
import { openRedis } from '../store/redis.ts';
import { openAdmin } from './open-admin.ts';
import { prepareShared, prepareStores } from './prepare.ts';
import { Primary, PRIMARY_EXIT } from './primary.ts';
import type { PrimaryExit, PrimaryParts } from './primary.ts';
import { warnOfExposure } from './warn-of-exposure.ts';

const REDIS_TIMEOUT_MS = 5_000;

/**
 * The life of a host's gateway: settings are read, stores are waited for, workers run until the
 * stop. Resolves with the exit code. Throws StartError for what waiting cannot mend.
 */
export async function runPrimary(parts: PrimaryParts): Promise<PrimaryExit> {
  const { settings, stop, log } = parts;
  const primary = new Primary(parts);
  const admin = await openAdmin({ settings, log, watched: primary });
  if (!admin) return PRIMARY_EXIT.failed;
  const redis = openRedis({
    url: settings.redisUrl,
    connectionName: 'nzgw-primary',
    commandTimeoutMs: REDIS_TIMEOUT_MS,
  });
  let shared: SharedWriter | undefined;
  const ending = new AbortController();
  // Beside the start, which it does not hold up.
  const warned = warnOfExposure(settings.ollamaUrls, log, ending.signal);
  try {
    const { shards } = await prepareStores(settings, redis, log, stop);
    shared = prepareShared(settings.runtimeDirectory);
    return await primary.run(redis, shared, shards);
  } catch (error) {
    if (stop.aborted) return PRIMARY_EXIT.stopped;
    throw error;
  } finally {
    ending.abort();
    await Promise.all([admin.close(), primary.close(), warned]);
    redis.disconnect();
    await shared?.close();
  }
}

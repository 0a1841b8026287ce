import { readFile, statfs } from 'node:fs/promises';
import { hashKey } from '../../lib/auth/hash-key.ts';
import { makeKey } from '../../lib/auth/key-format.ts';
import type { Environment } from '../../lib/config/read-sources.ts';
import { makeSharedFile, removeSharedFile } from '../../lib/shared/shared-file.ts';
import { SPARE_BYTES } from '../../lib/shared/size-guard.ts';
import { describeError } from '../../lib/log/logger.ts';
import type { Clock } from '../../lib/time/clock.ts';
import { examine, fail, pass, warn } from './check.ts';
import type { Check, Finding } from './check.ts';
import { loadSome } from './some-settings.ts';

/** A key that is not known yet waits so long, and so do those behind it. */
const SLOW_HASH_MS = 250;
/** Two for each request that runs, and it is a worker that has them. */
const FEW_FILES = 1_024;
const FILES = 8_192;
/** Without as much the first directory of keys might not fit. */
const LEAST_BYTES = 16 * 1_024 * 1_024;
const MIB = 1_024 * 1_024;
const MEMORY_FILE_SYSTEMS = new Set([0x0102_1994, 0x8584_58f6]);

/** What this machine gives: one after the other, so that nothing disturbs the time of the hash. */
export async function examineHost(
  environment: Environment,
  clock: Clock,
): Promise<readonly Check[]> {
  return [
    await examine({ name: 'argon2', look: () => lookAtHash(environment, clock) }),
    await examine({ name: 'open-files', look: lookAtFiles }),
    await examine({ name: 'shared-memory', look: () => lookAtShared(environment) }),
  ];
}

async function lookAtHash(environment: Environment, clock: Clock): Promise<Finding> {
  const settings = loadSome(environment, ['argon2MemoryKib', 'argon2Passes', 'argon2Lanes']);
  const { argon2MemoryKib: memoryKib, argon2Passes: passes, argon2Lanes: lanes } = settings;
  const { key } = makeKey();
  // The first one makes ready what all later ones use.
  await hashKey(key, { memoryKib, passes, lanes });
  const startedMs = clock.monotonicMs();
  await hashKey(key, { memoryKib, passes, lanes });
  const tookMs = clock.monotonicMs() - startedMs;
  const cost = `${(memoryKib / 1_024).toFixed(0)} MiB, ${passes} passes, ${lanes} lanes`;
  const seen = `${tookMs.toFixed(0)} ms a hash (${cost})`;
  if (tookMs <= SLOW_HASH_MS) return pass(seen);
  return warn(seen, 'a busy machine? otherwise lower NZGW_ARGON2_PASSES or NZGW_ARGON2_MEMORY_KIB');
}

/** Node raises the soft limit to the hard one when it starts: it is what the workers will have. */
async function lookAtFiles(): Promise<Finding> {
  const text = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const [, limit] = /^Max open files +(\d+|unlimited)/m.exec(text) ?? [];
  if (limit === undefined) return warn('this system does not tell', 'ulimit -n should be 65536');
  const files = limit === 'unlimited' ? Infinity : Number(limit);
  const seen = `${files.toLocaleString('en')} open files a process`;
  const hint = 'LimitNOFILE=65536 in the unit, ulimits in compose, or ulimit -n';
  if (files < FEW_FILES) return fail(`${seen}; at least ${FEW_FILES} are needed`, hint);
  return files < FILES ? warn(`${seen}: two a request are needed`, hint) : pass(seen);
}

async function lookAtShared(environment: Environment): Promise<Finding> {
  const { runtimeDirectory: directory } = loadSome(environment, ['runtimeDirectory']);
  const hint = 'RUNTIME_DIRECTORY must name a tmpfs with 256 MiB free (docker: --shm-size)';
  try {
    removeSharedFile(makeSharedFile(directory));
  } catch (error) {
    const { 'error.code': code = 'unknown error' } = describeError(error);
    return fail(`no file can be made in ${directory} (${String(code)})`, hint);
  }
  const { bavail, bsize, type } = await statfs(directory);
  const freeBytes = bavail * bsize;
  const seen = `${directory} has ${Math.floor(freeBytes / MIB).toLocaleString('en')} MiB free`;
  if (freeBytes < LEAST_BYTES) return fail(seen, hint);
  if (freeBytes < SPARE_BYTES) return warn(`${seen}; it may grow to 256 MiB beyond its rows`, hint);
  if (!MEMORY_FILE_SYSTEMS.has(type)) return warn(`${seen}, but is no tmpfs`, hint);
  return pass(seen);
}

import type { Redis } from '../store/redis.ts';
import { readFailReply } from './fail-reply.ts';
import { KEYS } from './keys.ts';
import { defineScripts } from './scripts.ts';
import type { Script } from './scripts.ts';

interface FailureLimit {
  readonly perMinute: number;
  readonly burst: number;
}

/**
 * Failed authentications of each client address. `address` is whatever the caller limits by: an
 * IPv4 address, the /64 of an IPv6 one. Calls reject as the connection does.
 */
export interface Failures {
  /** Milliseconds until one more failure may pass, 0 for now. Changes nothing. */
  check(address: string): Promise<number>;
  /** Counts one failure; then as `check`. */
  fail(address: string): Promise<number>;
}

export function openFailures(
  redis: Redis,
  limit: FailureLimit,
  scripts?: readonly Script[],
): Failures {
  const commands = defineScripts(redis, scripts);
  const run = async (mode: 'check' | 'fail', address: string): Promise<number> =>
    readFailReply(
      await commands.nz_fail(KEYS.failures(address), mode, limit.perMinute, limit.burst),
    );

  return {
    check: (address) => run('check', address),
    fail: (address) => run('fail', address),
  };
}

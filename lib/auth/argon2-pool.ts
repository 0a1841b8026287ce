import { PoolFullError } from '../threads/thread-pool.ts';
import type { ThreadPool } from '../threads/thread-pool.ts';
import type { HashCost } from './hash-key.ts';
import { refuseOverload, refuseUnchecked } from './refused-key.ts';

/** What a thread of workers/argon2.ts is asked; the answers are a boolean and a PHC string. */
export type Argon2Task =
  | { readonly type: 'verify'; readonly key: string; readonly hash: string }
  | { readonly type: 'hash'; readonly key: string; readonly cost: HashCost };

/**
 * Far beyond what a sane cost takes. A row that costs more is refused, so that one row does not keep
 * the thread from all others.
 */
const TIMEOUT_MS = 10_000;

/**
 * Argon2id away from the thread that streams, with a bounded queue. Both throw GatewayError
 * `overloaded` at the bound and `auth_unavailable` when the thread failed or took too long.
 */
export interface Argon2Pool {
  /** Verifications of one key at one time are one; `digest` tells keys apart. */
  verify(key: string, hash: string, digest: Buffer): Promise<boolean>;
  /** A PHC string of the whole key. */
  hash(key: string, cost: HashCost): Promise<string>;
}

export function makeArgon2Pool(
  threads: Pick<ThreadPool, 'run'>,
  timeoutMs = TIMEOUT_MS,
): Argon2Pool {
  const running = new Map<string, Promise<boolean>>();

  async function run<T>(task: Argon2Task): Promise<T> {
    try {
      return await threads.run<T>(task, [], timeoutMs);
    } catch (error) {
      throw error instanceof PoolFullError ? refuseOverload() : refuseUnchecked();
    }
  }

  return {
    verify(key, hash, digest) {
      const name = `${digest.toString('base64')} ${hash}`;
      const known = running.get(name);
      if (known) return known;

      const verification = run<boolean>({ type: 'verify', key, hash }).finally(() => {
        running.delete(name);
      });
      running.set(name, verification);
      return verification;
    },
    hash: (key, cost) => run<string>({ type: 'hash', key, cost }),
  };
}

import { hashSync, verifySync } from '@node-rs/argon2';
import type { Argon2Task } from '../lib/auth/argon2-pool.ts';
import { toOptions } from '../lib/auth/hash-key.ts';

/** One task of the Argon2 pool. Throws on a stored hash that is none. */
export default function run(task: Argon2Task): boolean | string {
  return task.type === 'verify'
    ? verifySync(task.hash, task.key)
    : hashSync(task.key, toOptions(task.cost));
}

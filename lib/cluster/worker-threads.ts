import { openThreadPool } from '../threads/thread-pool.ts';
import type { ThreadPool } from '../threads/thread-pool.ts';

export interface WorkerThreadsParts {
  readonly argon2Entry: URL;
  readonly bodiesEntry: URL;
  /** Verifications that may wait. */
  readonly argon2Queue: number;
}

export interface WorkerThreads {
  readonly argon2Threads: ThreadPool;
  readonly bodyThreads: ThreadPool;
}

const BODIES_QUEUE = 64;
/** Threads never take the processor from the streams. */
const THREAD_NICE = 10;

/** A worker's two pools: neither waits for the other. */
export function openWorkerThreads(parts: WorkerThreadsParts): WorkerThreads {
  return {
    argon2Threads: openThreadPool({
      entry: parts.argon2Entry,
      maxQueue: parts.argon2Queue,
      niceIncrement: THREAD_NICE,
    }),
    bodyThreads: openThreadPool({
      entry: parts.bodiesEntry,
      maxQueue: BODIES_QUEUE,
      niceIncrement: THREAD_NICE,
    }),
  };
}

import { Piscina } from 'piscina';

/** The pool's queue is at its bound: the caller refuses, it does not wait. */
export class PoolFullError extends Error {
  override readonly name = 'PoolFullError';
}

export interface ThreadPoolOptions {
  /** The thread's entry file, whose default export takes a task and returns the result. */
  readonly entry: URL;
  readonly threads?: number;
  /** Tasks that may wait beside those that run. */
  readonly maxQueue: number;
  /** Lowers the threads' priority, so that a flood of work does not starve the streams. */
  readonly niceIncrement?: number;
}

export interface ThreadPool {
  /** Runs one task; buffers in `transfer` move to the thread. Rejects with PoolFullError at the bound. */
  run<T>(task: unknown, transfer?: readonly ArrayBuffer[]): Promise<T>;
  /**
   * Runs one task that may not be refused because others wait: it queues behind them. Its callers
   * keep their own bound, of at most RESERVED_TASKS at once.
   */
  runReserved<T>(task: unknown, transfer?: readonly ArrayBuffer[]): Promise<T>;
  readonly queued: number;
  close(): Promise<void>;
}

const IDLE_MS = 30_000;

/** Places in the queue beyond its bound, for work that was already paid for. */
export const RESERVED_TASKS = 4;

/** A pool of threads whose queue is bounded; idle threads end. */
export function openThreadPool(options: ThreadPoolOptions): ThreadPool {
  const threads = options.threads ?? 1;
  const pool = new Piscina({
    filename: options.entry.href,
    minThreads: 0,
    maxThreads: threads,
    maxQueue: Math.max(1, options.maxQueue) + RESERVED_TASKS,
    concurrentTasksPerWorker: 1,
    idleTimeout: IDLE_MS,
    niceIncrement: options.niceIncrement ?? 0,
    env: {},
  });

  async function start<T>(task: unknown, transfer: readonly ArrayBuffer[] = []): Promise<T> {
    return (await pool.run(task, { transferList: [...transfer] })) as T;
  }

  return {
    get queued() {
      return pool.queueSize;
    },
    async run<T>(task: unknown, transfer?: readonly ArrayBuffer[]): Promise<T> {
      // Piscina rejects a full queue with a plain Error; asking first gives it a name.
      if (pool.queueSize >= options.maxQueue) throw new PoolFullError('the thread pool is full');
      return start<T>(task, transfer);
    },
    runReserved: start,
    close: () => pool.close({ force: true }),
  };
}

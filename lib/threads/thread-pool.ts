import { Piscina } from 'piscina';

/** The pool's queue is at its bound: the caller refuses, it does not wait. */
export class PoolFullError extends Error {
  override readonly name = 'PoolFullError';
}

/** The task ran for too long. */
export class TaskTimeoutError extends Error {
  override readonly name = 'TaskTimeoutError';
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
  /**
   * Runs one task; buffers in `transfer` move to the thread. Rejects with PoolFullError at the bound,
   * and with TaskTimeoutError when the task has run for `timeoutMs`: its thread is ended then and
   * another takes its place. (Native code cannot be ended; such a thread goes once it returns.)
   */
  run<T>(task: unknown, transfer?: readonly ArrayBuffer[], timeoutMs?: number): Promise<T>;
  /**
   * Runs one task that may not be refused because others wait: it queues behind them. Its callers
   * keep their own bound.
   */
  runReserved<T>(task: unknown, transfer?: readonly ArrayBuffer[]): Promise<T>;
  readonly queued: number;
  close(): Promise<void>;
}

const IDLE_MS = 30_000;

/** A pool of threads whose queue is bounded; idle threads end. */
export function openThreadPool(options: ThreadPoolOptions): ThreadPool {
  const threads = options.threads ?? 1;
  const pool = new Piscina({
    filename: options.entry.href,
    minThreads: 0,
    maxThreads: threads,
    maxQueue: threads,
    concurrentTasksPerWorker: 1,
    idleTimeout: IDLE_MS,
    niceIncrement: options.niceIncrement ?? 0,
    env: {},
  });
  // Tasks wait here and not in Piscina: it leaves its queue lying when a thread was ended, and turns
  // the order round for tasks that can be ended.
  const waiting: (() => void)[] = [];
  let running = 0;

  async function start<T>(
    task: unknown,
    transfer: readonly ArrayBuffer[] = [],
    timeoutMs?: number,
  ): Promise<T> {
    if (running < threads) running += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      const transferList = [...transfer];
      if (timeoutMs === undefined) return (await pool.run(task, { transferList })) as T;
      const run = (signal: AbortSignal) => pool.run(task, { transferList, signal }) as Promise<T>;
      return await cutAfter(timeoutMs, run);
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  }

  return {
    get queued() {
      return waiting.length;
    },
    async run<T>(task: unknown, transfer?: readonly ArrayBuffer[], timeoutMs?: number): Promise<T> {
      if (waiting.length >= options.maxQueue) throw new PoolFullError('the thread pool is full');
      return start<T>(task, transfer, timeoutMs);
    },
    runReserved: (task, transfer) => start(task, transfer),
    close: () => pool.close({ force: true }),
  };
}

async function cutAfter<T>(
  timeoutMs: number,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const cut = new AbortController();
  const timer = setTimeout(() => {
    cut.abort();
  }, timeoutMs);
  try {
    return await run(cut.signal);
  } catch (error) {
    throw cut.signal.aborted ? new TaskTimeoutError('the task took too long') : error;
  } finally {
    clearTimeout(timer);
  }
}

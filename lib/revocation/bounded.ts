import type { PostgresClient } from '../store/postgres.ts';

/** Settles when the work does or the time is over, whichever is first; never rejects. */
export async function waitAtMost(work: Promise<unknown>, ms: number): Promise<void> {
  const { promise: timeout, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => {
    resolve(undefined);
  }, ms);
  await Promise.race([work.catch(() => undefined), timeout]);
  clearTimeout(timer);
}

/** Breaks the connection if its query takes longer; the query then rejects. */
export async function cutAfter<T>(
  client: PostgresClient,
  ms: number,
  query: Promise<T>,
): Promise<T> {
  const timer = setTimeout(() => {
    void client.end().catch(() => undefined);
  }, ms);
  try {
    return await query;
  } finally {
    clearTimeout(timer);
  }
}

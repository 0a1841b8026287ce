import { inTime } from '../time/in-time.ts';

/** Redis did not answer in time; what was asked may still be carried out. */
export class LedgerTimeoutError extends Error {
  override readonly name = 'LedgerTimeoutError';
}

/** The promise's result, or a rejection with LedgerTimeoutError after `timeoutMs`. */
export function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  return inTime(timeoutMs, promise, () => {
    throw new LedgerTimeoutError('Redis did not answer in time');
  });
}

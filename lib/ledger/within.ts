/** Redis did not answer in time; what was asked may still be carried out. */
export class LedgerTimeoutError extends Error {
  override readonly name = 'LedgerTimeoutError';
}

/** The promise's result, or a rejection with LedgerTimeoutError after `timeoutMs`. */
export async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new LedgerTimeoutError('Redis did not answer in time'));
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The promise's result; after `timeoutMs` what `onLate` returns, or a rejection with what it throws.
 * The promise itself goes on, and nobody hears of it any more.
 */
export async function inTime<T>(
  timeoutMs: number,
  promise: Promise<T>,
  onLate: () => T,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  try {
    return await Promise.race([promise, late.then(onLate)]);
  } finally {
    clearTimeout(timer);
  }
}

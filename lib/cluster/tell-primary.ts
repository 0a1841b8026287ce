import type { FromWorker } from './messages.ts';

/** The primary may be gone; then there is nobody to tell. */
export function tellPrimary(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
}

/** The same, for who ends soon: resolves when the message has left this process, or cannot. */
export function tellPrimaryWhole(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected || !process.send) resolve();
    else {
      process.send(message, undefined, {}, () => {
        resolve();
      });
    }
  });
}

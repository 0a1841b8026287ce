import type { FromWorker } from './messages.ts';

/** The primary may be gone; then there is nobody to tell. */
export function tellPrimary(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
}

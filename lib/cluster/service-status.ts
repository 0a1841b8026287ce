import { listMissing } from '../health/readiness.ts';
import type { Readiness } from '../health/readiness.ts';

/** What `systemctl status` shows, on one line. */
export function describeService(readiness: Readiness, workers: number): string {
  const listening = `${workers} ${workers === 1 ? 'worker listens' : 'workers listen'}`;
  if (readiness.status === 'pass') return `ready: ${listening}`;
  const missing = listMissing(readiness);
  return missing.length === 0 ? listening : `not ready (${missing.join(', ')}): ${listening}`;
}

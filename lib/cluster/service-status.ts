import type { Readiness } from '../health/readiness.ts';

/** What `systemctl status` shows, on one line. */
export function describeService({ status, checks }: Readiness, workers: number): string {
  const listening = `${workers} ${workers === 1 ? 'worker listens' : 'workers listen'}`;
  if (status === 'pass') return `ready: ${listening}`;
  const missing = Object.entries(checks)
    .filter(([, check]) => check.status === 'fail')
    .map(([name]) => name);
  return missing.length === 0 ? listening : `not ready (${missing.join(', ')}): ${listening}`;
}

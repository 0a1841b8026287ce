import { readFileSync } from 'node:fs';

const NS_PER_MS = 1_000_000;

/**
 * Milliseconds in which a process's first thread could have run and found no processor free, since
 * it began (/proc/PID/schedstat): what other programs took from it.
 */
export function readProcessorWaitMs(pid: number): number {
  const [, waitNs] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
  return Number(waitNs) / NS_PER_MS;
}

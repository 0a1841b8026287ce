import type { Logger } from '../log/logger.ts';
import type { Clock } from '../time/clock.ts';

const EVERY_MS = 60_000;

/**
 * What is to be called for each refusal that is not kept: says so at once, then at most once a minute
 * with how many there were since, for a flood of refusals must not become one of log lines.
 */
export function makeDropNotice(clock: Clock, log: Logger): () => void {
  let unsaid = 0;
  let saidAtMs = -Infinity;
  return () => {
    unsaid += 1;
    const nowMs = clock.monotonicMs();
    if (nowMs - saidAtMs < EVERY_MS) return;
    log.warn({ event: 'refusals_dropped', dropped: unsaid }, 'refusals are not kept for now');
    unsaid = 0;
    saidAtMs = nowMs;
  };
}

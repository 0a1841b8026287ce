import type { AdmissionNotices } from '../gateway/make-bookkeeping.ts';
import type { Clock } from '../time/clock.ts';
import type { FromWorker } from './messages.ts';

/** The owner of a shard is woken no more often: it looks by itself, too. */
const FILLS_EVERY_MS = 20;

/** What a worker tells its primary: once that it admits, and for which shards counters are missing. */
export function makeAdmissionNotices(
  clock: Pick<Clock, 'monotonicMs'>,
  tell: (message: FromWorker) => void,
): AdmissionNotices {
  const toldAtMs = new Map<number, number>();
  let admitting = false;
  return {
    asking() {
      if (admitting) return;
      admitting = true;
      tell({ type: 'admitting' });
    },
    fills(shard) {
      const nowMs = clock.monotonicMs();
      if (nowMs - (toldAtMs.get(shard) ?? -Infinity) < FILLS_EVERY_MS) return;
      toldAtMs.set(shard, nowMs);
      tell({ type: 'fills', shard });
    },
  };
}

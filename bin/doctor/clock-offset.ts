import type { Clock } from '../../lib/time/clock.ts';
import { fail, pass, warn } from './check.ts';
import type { Finding } from './check.ts';

const SAMPLES = 3;
/** Keys end and minutes begin by these clocks: a second off is odd, half a minute is wrong. */
const ODD_MS = 1_000;
const WRONG_MS = 30_000;

/** How far another clock is from this machine's; of some questions the quickest answer counts. */
export async function lookAtClock(
  clock: Clock,
  who: string,
  readMs: () => Promise<number>,
): Promise<Finding> {
  let best = { tookMs: Infinity, aheadMs: 0 };
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const askedMs = clock.wallMs();
    const startedMs = clock.monotonicMs();
    const theirMs = await readMs();
    const tookMs = clock.monotonicMs() - startedMs;
    const aheadMs = theirMs - (askedMs + tookMs / 2);
    if (tookMs < best.tookMs) best = { tookMs, aheadMs };
  }
  return judge(who, best.aheadMs);
}

function judge(who: string, aheadMs: number): Finding {
  const offMs = Math.round(Math.abs(aheadMs));
  const side = aheadMs < 0 ? 'behind' : 'ahead of';
  const seen = `the clock of ${who} is ${offMs.toLocaleString('en')} ms ${side} this machine's`;
  const hint = 'let both machines follow the same time (NTP): timedatectl';
  if (offMs <= ODD_MS) return pass(seen);
  return offMs <= WRONG_MS ? warn(seen, hint) : fail(seen, hint);
}

import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../time/clock.ts';

export interface FillParts {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** How long it may take in all. */
  readonly timeoutMs: number;
  /** A counter is not filled yet; its owner is to be told. */
  readonly onFill: () => void;
}

const AGAIN_MS = 50;

/**
 * Asks Redis again while it says that counters are not filled (LEDGER §3). `ask` gets the time that
 * is left. undefined: they were not filled in time. Rejects as `ask` does.
 */
export async function askUntilFilled<Answer extends { readonly kind: string }>(
  { clock, timeoutMs, onFill }: FillParts,
  ask: (leftMs: number) => Promise<Answer>,
): Promise<Exclude<Answer, { readonly kind: 'fill' }> | undefined> {
  const endsAtMs = clock.monotonicMs() + timeoutMs;
  let leftMs = timeoutMs;
  let isLate: boolean;
  do {
    const answer = await ask(leftMs);
    if (isFilled(answer)) return answer;
    onFill();
    // Too little would be left for an answer: its lateness would be ours, and look like Redis's.
    isLate = endsAtMs - clock.monotonicMs() < 2 * AGAIN_MS;
    if (!isLate) await wait(AGAIN_MS);
    leftMs = endsAtMs - clock.monotonicMs();
  } while (!isLate);
  return undefined;
}

function isFilled<Answer extends { readonly kind: string }>(
  answer: Answer,
): answer is Exclude<Answer, { readonly kind: 'fill' }> {
  return answer.kind !== 'fill';
}

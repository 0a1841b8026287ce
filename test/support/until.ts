import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../lib/time/clock.ts';

const POLL_MS = 5;

export interface Deadline {
  readonly withinMs: number;
  /** What is waited for, as it stands in the error: "the row to be there". */
  readonly what: string;
}

/**
 * Waits until the condition gives something true, and returns that.
 * @throws Error that names what did not happen in time.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { withinMs, what }: Deadline,
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const endMs = systemClock.monotonicMs() + withinMs;
  for (;;) {
    const value = await condition();
    if (value) return value as Exclude<T, false | null | undefined | 0 | ''>;
    if (systemClock.monotonicMs() >= endMs) {
      throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    }
    await wait(POLL_MS);
  }
}

import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../lib/time/clock.ts';

const POLL_MS = 20;

export interface Waiting {
  readonly withinMs: number;
  /** What is waited for: "the gateway to be ready". */
  readonly what: string;
  readonly signal: AbortSignal;
}

/**
 * Asks again until there is something, and returns that.
 * @throws Error that names what did not come in time; the signal's reason when it aborts.
 */
export async function waitFor<T>(
  ask: () => Promise<T | undefined>,
  { withinMs, what, signal }: Waiting,
): Promise<T> {
  const endMs = systemClock.monotonicMs() + withinMs;
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (systemClock.monotonicMs() >= endMs) {
      throw new Error(`waited ${withinMs / 1_000} s in vain for ${what}`);
    }
    await pause(POLL_MS);
  }
}

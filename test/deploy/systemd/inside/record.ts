import { appendFileSync } from 'node:fs';
import { systemClock } from '../../../../lib/time/clock.ts';

/** One line of the file that the machine outside reads: its console and its exit code say nothing. */
export interface Seen {
  readonly check: string;
  readonly ok: boolean;
  readonly ms: number;
  /** What was seen, or what went wrong. */
  readonly detail: string;
}

/** Says that the last check was made. */
export const END = 'end of the test';

const CHECKS = '/mnt/out/checks.jsonl';

/**
 * Makes one check and writes down what came of it; what it returns is shown. Never rejects; false where
 * it failed.
 */
export async function check(name: string, look: () => Promise<string> | string): Promise<boolean> {
  const startedMs = systemClock.monotonicMs();
  const write = (ok: boolean, detail: string): boolean => {
    const ms = Math.round(systemClock.monotonicMs() - startedMs);
    const seen: Seen = { check: name, ok, ms, detail };
    appendFileSync(CHECKS, `${JSON.stringify(seen)}\n`);
    return ok;
  };
  try {
    return write(true, await look());
  } catch (error) {
    return write(false, error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

/** @throws Error with what was seen, where it is not so. */
export function ensure(isSo: boolean, seen: string): void {
  if (!isSo) throw new Error(seen);
}

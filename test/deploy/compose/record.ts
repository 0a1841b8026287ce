import { systemClock } from '../../../lib/time/clock.ts';

let failures = 0;

/** Makes one check and says what came of it, in a line; what it returns is shown. False where it failed. */
export async function check(name: string, look: () => Promise<string> | string): Promise<boolean> {
  const startedMs = systemClock.monotonicMs();
  const say = (word: string, detail: string): void => {
    const seconds = ((systemClock.monotonicMs() - startedMs) / 1_000).toFixed(1);
    process.stdout.write(`${word} ${name} (${seconds} s) ${detail}\n`);
  };
  try {
    say('ok  ', await look());
    return true;
  } catch (error) {
    failures += 1;
    say('FAIL', `\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return false;
  }
}

/** @throws Error where it failed: what follows could not be seen. */
export async function demandCheck(name: string, look: () => Promise<string>): Promise<void> {
  if (!(await check(name, look))) throw new Error(`the rest needs this: ${name}`);
}

/** @throws Error with what was seen, where it is not so. */
export function ensure(isSo: boolean, seen: string): void {
  if (!isSo) throw new Error(seen);
}

/** How many checks have failed. */
export function countFailures(): number {
  return failures;
}

import { examine, toFailure } from './check.ts';
import type { Check, Finding } from './check.ts';

/** Looks that need the same connection, by the names of their checks. */
export type Looks<T> = Readonly<Record<string, (lent: T) => Promise<Finding>>>;

interface Lending<T> {
  /** Lends the connection to the act, and rejects where there is none. */
  readonly lend: (act: (lent: T) => Promise<void>) => Promise<void>;
  /** Of an error, in our words. */
  readonly translate: (error: unknown) => unknown;
}

/**
 * One check a look, one after the other. Where there is no connection the first check says why, and
 * the others that they were not made.
 */
export async function examineWith<T>(
  { lend, translate }: Lending<T>,
  looks: Looks<T>,
): Promise<readonly Check[]> {
  const checks: Check[] = [];
  const entries = Object.entries(looks);
  let failure: Finding | undefined;
  await lend(async (lent) => {
    for (const [name, look] of entries) {
      checks.push(await examine({ name, translate, look: () => look(lent) }));
    }
  }).catch((error: unknown) => {
    failure = toFailure(translate(error));
  });
  const missing = entries.slice(checks.length).map(([name]) => name);
  return [
    ...checks,
    ...missing.map((name, index) => toUnmade(name, failure, checks.length + index)),
  ];
}

function toUnmade(name: string, failure: Finding | undefined, position: number): Check {
  const { seen, hint } = failure ?? { seen: 'the connection was lost', hint: null };
  const told = position === 0 ? { seen, hint } : { seen: `not looked at: ${seen}`, hint: null };
  return { name, about: null, status: 'fail', ...told, ms: 0 };
}

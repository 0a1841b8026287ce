import type { Pool } from '../../lib/store/postgres.ts';
import { OutcomeUnknown, transact } from '../../lib/store/transaction.ts';
import type { Queries } from '../../lib/tenants/queries.ts';
import type { Clock } from '../../lib/time/clock.ts';
import { CommandError } from './command-error.ts';
import { EXIT } from './exit-code.ts';

/** What a person is told where nobody can say whether an act was done. */
export interface Doubt {
  /** What may be so now: "whether key nz_… was made". */
  readonly whether: string;
  /** How to see, and what to do then. */
  readonly hint: string;
}

/**
 * An act whose result, a secret perhaps, must not be lost once it is done: Postgres does all of it
 * when the result is here, or nothing. Throws CommandError `outcome_unknown`, and as `transact` does.
 */
export async function actAsWhole<T>(
  pool: Pool,
  clock: Clock,
  act: (queries: Queries) => Promise<T>,
  doubt: Doubt,
): Promise<T> {
  try {
    return await transact(pool, clock, act);
  } catch (error) {
    if (!(error instanceof OutcomeUnknown)) throw error;
    throw new CommandError(`Postgres went away in the last step: ${doubt.whether} is not known`, {
      exitCode: EXIT.unreachable,
      code: 'outcome_unknown',
      hint: doubt.hint,
      cause: error,
    });
  }
}

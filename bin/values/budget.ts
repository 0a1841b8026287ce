import type { z } from 'zod';
import type { BudgetPeriod } from '../../lib/shared/records.ts';
import { MAX_TOKENS, readCount } from './count.ts';
import { value } from './value.ts';

export interface Budget {
  readonly budgetTokens: number | null;
  readonly budgetPeriod: BudgetPeriod | null;
}

const PERIODS: readonly BudgetPeriod[] = ['day', 'month', 'total'];

/** "1M/month" → tokens and their period (UTC); `none` → no budget. */
export const budget: z.ZodType<Budget, string> = value(
  'tokens/day, tokens/month or tokens/total (1M/month), or none',
  (text) => {
    if (text === 'none') return { budgetTokens: null, budgetPeriod: null };
    const [tokens = '', word = '', ...more] = text.split('/');
    const budgetTokens = readCount(tokens, MAX_TOKENS);
    const budgetPeriod = PERIODS.find((period) => period === word);
    if (budgetTokens === undefined || budgetPeriod === undefined || more.length > 0) return;
    return { budgetTokens, budgetPeriod };
  },
);

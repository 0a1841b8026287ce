import { z } from 'zod';
import type { Limits } from '../../lib/shared/records.ts';
import type { Option } from '../program/command.ts';
import { budget } from './budget.ts';
import type { Budget } from './budget.ts';
import { limit, MAX_INTEGER, MAX_TOKENS } from './count.ts';

/** What tenants and keys have in common; `none` takes a limit away. */
export const LIMIT_OPTIONS: readonly Option[] = [
  { name: 'rpm', placeholder: 'N', meaning: 'Requests per minute.' },
  { name: 'tpm', placeholder: 'N', meaning: 'Tokens per minute: 100k.' },
  { name: 'concurrency', placeholder: 'N', meaning: 'Requests running at once.' },
  {
    name: 'budget',
    placeholder: 'N/PERIOD',
    meaning: 'Tokens a day, month or in total: 1M/month.',
  },
  { name: 'max-output-tokens', placeholder: 'N', meaning: 'Longest answer of one request.' },
  {
    name: 'models',
    placeholder: 'A,B',
    repeatable: true,
    meaning: 'Models that may be used; name:* means every tag, none clears the list.',
  },
  {
    name: 'all-models',
    negatable: true,
    meaning: 'Every model there is, now and later.',
  },
];

/** To be spread into the shape of a command's options. */
export const limitShape = {
  rpm: limit(MAX_INTEGER).optional(),
  tpm: limit(MAX_TOKENS).optional(),
  concurrency: limit(MAX_INTEGER).optional(),
  budget: budget.optional(),
  'max-output-tokens': limit(MAX_INTEGER).optional(),
  'all-models': z.boolean().optional(),
};

interface LimitInput {
  readonly rpm?: number | null | undefined;
  readonly tpm?: number | null | undefined;
  readonly concurrency?: number | null | undefined;
  readonly budget?: Budget | undefined;
  readonly 'max-output-tokens'?: number | null | undefined;
}

/** The limits that were named; the others are absent. */
export function toGivenLimits(input: LimitInput): Partial<Limits> {
  return {
    ...(input.rpm !== undefined && { requestsPerMinute: input.rpm }),
    ...(input.tpm !== undefined && { tokensPerMinute: input.tpm }),
    ...(input.concurrency !== undefined && { concurrency: input.concurrency }),
    ...input.budget,
    ...(input['max-output-tokens'] !== undefined && {
      maxOutputTokens: input['max-output-tokens'],
    }),
  };
}

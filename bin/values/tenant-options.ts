import { z } from 'zod';
import type { Option } from '../program/command.ts';
import { limit, wholeNumber } from './count.ts';
import { LIMIT_OPTIONS, limitShape } from './limits.ts';
import { models } from './models.ts';
import { slug } from './text.ts';

const MAX_NUM_CTX = 10_000_000;
const MAX_RETENTION_DAYS = 3_650;

/** Options of create-tenant and update-tenant. */
export const TENANT_OPTIONS: readonly Option[] = [
  {
    name: 'slug',
    placeholder: 'SLUG',
    meaning: 'Short name for commands and metrics: a-z, 0-9, -.',
  },
  ...LIMIT_OPTIONS,
  {
    name: 'allow-runtime-options',
    negatable: true,
    meaning: 'Whether options that reload a model (num_ctx, num_gpu, keep_alive, …) are passed on.',
  },
  { name: 'max-num-ctx', placeholder: 'N', meaning: 'Largest num_ctx, where those are passed on.' },
  { name: 'audit-retention-days', placeholder: 'N', meaning: 'How long audit rows are kept (90).' },
];

export const tenantShape = {
  ...limitShape,
  slug: slug.optional(),
  models: models.optional(),
  'allow-runtime-options': z.boolean().optional(),
  'max-num-ctx': limit(MAX_NUM_CTX)
    .refine((count) => count === null || count >= 4, 'wanted 4 or more, or none')
    .optional(),
  'audit-retention-days': wholeNumber(1, MAX_RETENTION_DAYS).optional(),
};

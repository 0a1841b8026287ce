import { z } from 'zod';
import type { Option } from '../program/command.ts';
import { LIMIT_OPTIONS, limitShape } from './limits.ts';
import { models } from './models.ts';
import { label } from './text.ts';
import { usageError } from '../program/command-error.ts';

/** Options of create-key and update-key. */
export const KEY_OPTIONS: readonly Option[] = [
  { name: 'name', placeholder: 'TEXT', meaning: 'What it is for.' },
  {
    name: 'expires',
    placeholder: 'WHEN',
    meaning: '90d, 12h, 2027-01-31, 2027-01-31T18:00:00Z, or never.',
  },
  ...LIMIT_OPTIONS,
  {
    name: 'inherit-models',
    meaning: "The tenant's models, narrowed by --models if that is set (the default).",
  },
];

/** Without `expires`, which needs the time: `expiry(nowMs)`. */
export const keyShape = {
  ...limitShape,
  name: label(0, 200).optional(),
  models: models.transform((names) => (names.length === 0 ? null : names)).optional(),
  'inherit-models': z.boolean().optional(),
};

/** The three ways of `allow_all_models` (SPEC §3); undefined where none was named. */
export function toAllowAll(input: {
  readonly 'all-models'?: boolean | undefined;
  readonly 'inherit-models'?: boolean | undefined;
}): boolean | null | undefined {
  if (input['inherit-models'] !== true) return input['all-models'];
  if (input['all-models'] === undefined) return null;
  throw usageError('--inherit-models and --all-models exclude each other');
}

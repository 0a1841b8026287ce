import { z } from 'zod';
import type { Option } from '../program/command.ts';
import { LIMIT_OPTIONS, limitShape } from './limits.ts';
import { models } from './models.ts';
import { label } from './text.ts';
import { wholeNumber } from './count.ts';
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
  {
    name: 'prompt-log',
    negatable: true,
    meaning: 'Keeps its requests and replies, sealed; needs NZGW_PROMPT_LOG_KEY.',
  },
  {
    name: 'prompt-log-days',
    placeholder: 'N',
    meaning: 'Days after which they are deleted (7).',
  },
];

/** As the schema has it. */
const MOST_PROMPT_LOG_DAYS = 3_650;

/** Without `expires`, which needs the time: `expiry(nowMs)`. */
export const keyShape = {
  ...limitShape,
  name: label(0, 200).optional(),
  models: models.transform((names) => (names.length === 0 ? null : names)).optional(),
  'inherit-models': z.boolean().optional(),
  'prompt-log': z.boolean().optional(),
  'prompt-log-days': wholeNumber(1, MOST_PROMPT_LOG_DAYS).optional(),
};

/** @throws CommandError where a prompt log is wanted that nothing could be sealed for (SPEC §11) */
export function checkPromptLog(
  input: { readonly 'prompt-log'?: boolean | undefined },
  { promptLogKey }: { readonly promptLogKey: string | null },
): void {
  if (input['prompt-log'] !== true || promptLogKey !== null) return;
  throw usageError('--prompt-log needs NZGW_PROMPT_LOG_KEY, which the gateways must have too');
}

/** The three ways of `allow_all_models` (SPEC §3); undefined where none was named. */
export function toAllowAll(input: {
  readonly 'all-models'?: boolean | undefined;
  readonly 'inherit-models'?: boolean | undefined;
}): boolean | null | undefined {
  if (input['inherit-models'] !== true) return input['all-models'];
  if (input['all-models'] === undefined) return null;
  throw usageError('--inherit-models and --all-models exclude each other');
}

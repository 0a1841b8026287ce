import { z } from 'zod';
import { canonicalise } from '../../lib/access/model-name.ts';
import { value } from './value.ts';

const MAX_MODELS = 1_000;

const single = value(
  'model names separated by commas (llama3, qwen3:8b, gemma3:*), or none',
  (text) => {
    if (text === 'none') return [];
    const names = text.split(',').map((name) => name.trim());
    return names.every(isModelName) ? names : undefined;
  },
);

/**
 * `--models a,b --models c` → the names, once each; `none` → an empty list. A name without a tag
 * means `:latest`, `name:*` every tag (SPEC §3).
 */
export const models: z.ZodType<readonly string[], readonly string[]> = z
  .array(single)
  .transform((lists) => [...new Set(lists.flat())])
  .refine((names) => names.length <= MAX_MODELS, `at most ${MAX_MODELS} models`);

function isModelName(name: string): boolean {
  const oneTag = name.endsWith(':*') ? `${name.slice(0, -1)}latest` : name;
  return canonicalise(oneTag) !== undefined;
}

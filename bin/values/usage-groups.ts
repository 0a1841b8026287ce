import { z } from 'zod';
import type { UsageGroup } from '../../lib/inspection/usage.ts';
import { value } from './value.ts';

const GROUPS: readonly UsageGroup[] = ['key', 'model', 'day'];

const single = value('key, model or day, or several separated by commas', (text) => {
  const words = text.split(',').map((word) => word.trim());
  const groups = GROUPS.filter((group) => words.includes(group));
  return words.every((word) => GROUPS.some((group) => group === word)) ? groups : undefined;
});

/** `--by key,day --by model` → what rows are told apart by. */
export const usageGroups: z.ZodType<ReadonlySet<UsageGroup>, readonly string[]> = z
  .array(single)
  .transform((lists) => new Set(lists.flat()));

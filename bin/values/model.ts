import type { z } from 'zod';
import { canonicalise } from '../../lib/access/model-name.ts';
import { value } from './value.ts';

/** `--model`: one name, of letters that mean nothing to a shell or inside quotes. */
export const model: z.ZodType<string, string> = value('the name of a model', (text) =>
  /^[\w./:-]+$/.test(text) && canonicalise(text) !== undefined ? text : undefined,
);

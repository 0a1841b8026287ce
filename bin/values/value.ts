import { z } from 'zod';
import type { Options } from '../program/command.ts';
import { usageError } from '../program/command-error.ts';

/** An option's text, read strictly; `wanted` tells what would have been right. */
export function value<T>(
  wanted: string,
  read: (text: string) => T | undefined,
): z.ZodType<T, string> {
  return z.string().transform((text, context): T => {
    const found = read(text.trim());
    if (found !== undefined) return found;
    context.addIssue({ code: 'custom', message: `wanted ${wanted}, got ${JSON.stringify(text)}` });
    return z.NEVER;
  });
}

/**
 * Checks what was given against a shape named like the options. Throws one usage error that names
 * every fault.
 */
export function readOptions<S extends z.ZodRawShape>(
  shape: S,
  options: Options,
): z.infer<z.ZodObject<S>> {
  const result = z.object(shape).safeParse(options);
  if (result.success) return result.data;

  const faults = result.error.issues.map(
    ({ path, message }) => `--${path.map(String).join('.')}: ${message}`,
  );
  const [only = ''] = faults;
  if (faults.length === 1) throw usageError(only);
  throw usageError(`${faults.length} options are wrong`, undefined, faults);
}

/** The same for an argument without a name of its own. Its presence was checked before. */
export function readPositional<T>(
  name: string,
  kind: z.ZodType<T, string>,
  text: string | undefined,
): T {
  const result = kind.safeParse(text ?? '');
  if (result.success) return result.data;
  throw usageError(`${name}: ${result.error.issues[0]?.message ?? 'not understood'}`);
}

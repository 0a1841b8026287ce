import type { z } from 'zod';
import { isSlug } from '../../lib/tenants/slug.ts';
import { value } from './value.ts';

export const slug: z.ZodType<string, string> = value('2 to 40 of a-z, 0-9 and dash', (text) =>
  isSlug(text) ? text : undefined,
);

/** Text for people, without control characters. */
export function label(minLength: number, maxLength: number): z.ZodType<string, string> {
  return value(`${minLength} to ${maxLength} printable characters`, (text) => {
    const { length } = Array.from(text);
    const isPrintable = !/\p{Cc}/u.test(text);
    return isPrintable && length >= minLength && length <= maxLength ? text : undefined;
  });
}

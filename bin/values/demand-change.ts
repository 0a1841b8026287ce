import { usageError } from '../program/command-error.ts';

/** An update that names nothing is a mistake, not a success. */
export function demandChange(input: Readonly<Record<string, unknown>>): void {
  if (Object.values(input).some((value) => value !== undefined)) return;
  throw usageError('nothing to change was named', 'add an option: --help lists them');
}

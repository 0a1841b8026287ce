import { readFile } from 'node:fs/promises';
import { ROOT } from '../root.ts';

/** The version of the product, as its package.json has it. */
export async function readVersion(): Promise<string> {
  const text = await readFile(new URL('package.json', ROOT), 'utf8');
  const { version } = JSON.parse(text) as { readonly version: string };
  return version;
}

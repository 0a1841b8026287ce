import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SECRETS_FILE } from './data-directory.ts';

const shape = z.object({
  keyPepper: z.string().min(32),
  /** The key of the tenant `demo`, as `create-key` gave it. */
  demoKey: z.string().optional(),
});

export type Secrets = z.infer<typeof shape>;

/**
 * The secrets of this folder's quickstart, made at its first start.
 * @throws Error if the file is there and is not ours: a new pepper would make every key invalid.
 */
export async function openSecrets(directory: string): Promise<Secrets> {
  const text = await readFile(join(directory, SECRETS_FILE), 'utf8').catch(() => undefined);
  if (text !== undefined) return shape.parse(JSON.parse(text));
  const secrets = { keyPepper: randomBytes(32).toString('base64url') };
  await saveSecrets(directory, secrets);
  return secrets;
}

/** Whole or not at all, readable by its owner alone. */
export async function saveSecrets(directory: string, secrets: Secrets): Promise<void> {
  await writePrivately(join(directory, SECRETS_FILE), `${JSON.stringify(secrets, null, 2)}\n`);
}

/** Settings for `nzgw --env-file`, so that its commands find this quickstart. */
export async function saveEnvironment(
  directory: string,
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const path = join(directory, 'env');
  const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`);
  await writePrivately(path, lines.join(''));
  return path;
}

async function writePrivately(path: string, text: string): Promise<void> {
  const draft = `${path}.draft`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, path);
}

import { z } from 'zod';
import { EXIT } from '../program/exit-code.ts';
import { demandNzgw, runNzgw } from './nzgw-child.ts';

export const DEMO_TENANT = 'demo';

const madeKeyShape = z.object({ id: z.string(), key: z.string(), prefix: z.string() });

export type MadeKey = z.infer<typeof madeKeyShape>;

/** The gateway as a caller sees it, and the settings under which commands find its database. */
export interface Running {
  readonly url: string;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * The key of the tenant `demo`: the stored one while it is good, else a new one; the tenant too is
 * made where it is missing.
 */
export async function openDemoAccount(
  running: Running,
  storedKey: string | undefined,
): Promise<string> {
  if (storedKey !== undefined && (await isAccepted(running.url, storedKey))) return storedKey;
  const made = await runNzgw(['create-tenant', DEMO_TENANT, '--all-models'], running.environment);
  if (made.exitCode !== EXIT.done && made.exitCode !== EXIT.conflict) {
    throw new Error(`the tenant could not be made: ${made.message}`);
  }
  return (await makeDemoKey(running, 'quickstart')).key;
}

export function makeDemoKey(running: Running, name: string): Promise<MadeKey> {
  const args = ['create-key', DEMO_TENANT, '--name', name];
  return demandNzgw(args, running.environment, madeKeyShape);
}

export async function isAccepted(url: string, key: string): Promise<boolean> {
  return (await probeKey(url, key)) === 200;
}

/** The status that a key gets where it costs nothing. */
export async function probeKey(url: string, key: string): Promise<number> {
  const response = await fetch(`${url}/api/version`, {
    headers: { authorization: `Bearer ${key}` },
  });
  await response.body?.cancel();
  return response.status;
}

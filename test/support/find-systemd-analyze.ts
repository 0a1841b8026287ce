import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * systemd's checker of units, if the machine has it: it cannot be fetched alone, as it is a part of
 * systemd. Undefined where there is none; that is said on stderr.
 */
export async function findSystemdAnalyze(): Promise<string | undefined> {
  const found = await run('/bin/sh', ['-c', 'command -v systemd-analyze']).catch(() => undefined);
  if (found !== undefined) return found.stdout.trim();
  process.stderr.write('systemd-analyze cannot be had, the units are not checked\n');
  return undefined;
}

import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 20;
const POLLS = 500;

/**
 * Ends the server that a killed process of ours left behind: the pid file's first line names it.
 * A pid can meanwhile belong to anybody, so its command line must carry `mark` (the data folder).
 */
export async function stopStaleServer(
  pidFile: string,
  mark: string,
  signal: NodeJS.Signals,
): Promise<void> {
  const pid = await readPid(pidFile);
  if (pid === undefined || !(await isOurs(pid, mark))) return;
  process.kill(pid, signal);
  for (let poll = 0; poll < POLLS && (await isOurs(pid, mark)); poll += 1) await wait(POLL_MS);
}

async function readPid(pidFile: string): Promise<number | undefined> {
  const text = await readFile(pidFile, 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return pid > 1 ? pid : undefined;
}

async function isOurs(pid: number, mark: string): Promise<boolean> {
  return (await readCommandLine(pid)).includes(mark);
}

async function readCommandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  }
  try {
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}

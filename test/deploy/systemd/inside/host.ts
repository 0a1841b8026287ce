import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { until } from '../../../support/until.ts';
import type { Outcome } from './shell.ts';

const execute = promisify(execFile);
const WITHIN_MS = 60_000;

/** Runs a program; what it ends with is no error. */
export async function run(program: string, ...args: readonly string[]): Promise<Outcome> {
  try {
    const { stdout, stderr } = await execute(program, args, { timeout: WITHIN_MS });
    return { code: 0, text: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    return { code: typeof code === 'number' ? code : -1, text: stdout + stderr };
  }
}

/** @throws Error with what the program said, unless it ended with 0. */
export async function mustRun(program: string, ...args: readonly string[]): Promise<string> {
  const { code, text } = await run(program, ...args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${text}`);
  return text;
}

/** Properties of a unit, as systemd has them. */
export async function readProperties(unit: string): Promise<Readonly<Record<string, string>>> {
  const text = await mustRun('systemctl', 'show', unit);
  return Object.fromEntries(
    text.split('\n').map((line) => {
      const end = line.indexOf('=');
      return [line.slice(0, end), line.slice(end + 1)];
    }),
  );
}

export async function readMainPid(): Promise<number> {
  return Number((await readProperties('nzgw.service'))['MainPID']);
}

/** Waits until the gateway of another primary than `before` is ready. */
export async function untilReadyAgain(before: number): Promise<number> {
  return until(
    async () => {
      const { MainPID, ActiveState, StatusText } = await readProperties('nzgw.service');
      const isNew = ActiveState === 'active' && Number(MainPID) !== before;
      return isNew && (StatusText ?? '').startsWith('ready:') && Number(MainPID);
    },
    { withinMs: 60_000, what: 'a new primary that is ready' },
  );
}

/** What the gateway has logged since it was first started. */
export function readJournal(): Promise<string> {
  return mustRun('journalctl', '--unit', 'nzgw', '--output', 'cat', '--no-pager');
}

/** Processes that run as a user, from /proc. */
export function listProcessesOf(uid: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/status`, 'utf8').includes(`\nUid:\t${uid}\t`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

export async function readUid(user: string): Promise<number> {
  return Number(await mustRun('id', '-u', user));
}

/** One value or line of the gateway's database. */
export async function query(sql: string): Promise<string> {
  const text = await mustRun(
    'runuser',
    ...['-u', 'postgres', '--', 'psql', '-XtAq', '-d', 'nzgw', '-c', sql],
  );
  return text.trim();
}

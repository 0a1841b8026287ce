import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from '../program/command-error.ts';
import { EXIT } from '../program/exit-code.ts';

/**
 * Claims a data folder for this process: a second quickstart there would end the first one's servers.
 * Resolves to what gives it back.
 * @throws CommandError if another one is running.
 */
export async function claimDirectory(directory: string): Promise<() => Promise<void>> {
  const file = join(directory, 'quickstart.pid');
  const own = `${process.pid} ${(await readStartTime(process.pid)) ?? ''}`;
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      await writeFile(file, own, { flag: 'wx', mode: 0o600 });
      return () => rm(file, { force: true });
    } catch {
      const [pid = '', startedAt = ''] = (await readFile(file, 'utf8').catch(() => '')).split(' ');
      if (pid !== '' && (await isRunning(Number(pid), startedAt))) throw alreadyRunning(pid);
      await rm(file, { force: true });
    }
  }
  throw alreadyRunning('another');
}

function alreadyRunning(pid: string): CommandError {
  return new CommandError(`a quickstart is already running here (process ${pid})`, {
    exitCode: EXIT.conflict,
    code: 'already_running',
    hint: 'Stop it, or name another folder with --data-dir.',
  });
}

/** A number alone may have been given to another process since. */
async function isRunning(pid: number, startedAt: string): Promise<boolean> {
  if (startedAt !== '') return (await readStartTime(pid)) === startedAt;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * In ticks since the machine's start, from /proc; undefined where there is none, and for a process
 * that has ended and only waits to be reaped.
 */
async function readStartTime(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

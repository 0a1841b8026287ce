import { readFile, readdir } from 'node:fs/promises';
import type { Stack } from './stack.ts';

export interface Process {
  readonly pid: number;
  readonly command: string;
  readonly uid: number;
  /** Hexadecimal, as the kernel says them. */
  readonly effective: string;
  readonly bounding: string;
  readonly noNewPrivileges: boolean;
  /** The variables it was started with. */
  readonly environment: string;
}

/** Every process of a service's container, the first one first, as the host sees them. */
export async function listProcesses(stack: Stack, service: string): Promise<readonly Process[]> {
  const first = Number(await stack.inspect(service, '{{.State.Pid}}'));
  if (!(first > 0)) throw new Error(`${service} does not run`);
  const pids = [first];
  for (const pid of pids) pids.push(...(await readChildren(pid)));
  return Promise.all(pids.map(readProcess));
}

async function readChildren(pid: number): Promise<readonly number[]> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8')),
  );
  return lists.flatMap((text) => text.split(' ').filter((word) => word !== '')).map(Number);
}

async function readProcess(pid: number): Promise<Process> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const read = (name: string): string =>
    status
      .split('\n')
      .find((line) => line.startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim() ?? '';
  return {
    pid,
    command: (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim(),
    uid: Number(read('Uid').split('\t')[0]),
    effective: read('CapEff'),
    bounding: read('CapBnd'),
    noNewPrivileges: read('NoNewPrivs') === '1',
    environment: await readFile(`/proc/${pid}/environ`, 'utf8'),
  };
}

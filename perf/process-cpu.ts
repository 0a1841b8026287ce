import { readdirSync, readFileSync } from 'node:fs';

const TICK_US = 10_000;

/** CPU time of processes so far, by pid, in µs. */
export type CpuReading = ReadonlyMap<number, number>;

/**
 * Reads the user and system time of a process and of all that descends from it. From the scheduler's
 * nanoseconds where the kernel keeps them, else from ticks of 10 ms; a thread that has ended is only
 * in the ticks, so the larger of the two counts.
 */
export function readCpu(root: number): CpuReading {
  const parents = new Map<number, number>();
  for (const pid of listNumbers('/proc')) {
    const fields = readStat(pid);
    if (fields !== undefined) parents.set(pid, Number(fields[1]));
  }
  const tree = new Map<number, number>();
  const add = (pid: number): void => {
    tree.set(pid, readProcess(pid));
    for (const [child, parent] of parents) if (parent === pid) add(child);
  };
  add(root);
  return tree;
}

/**
 * CPU time between two readings, in µs.
 * @throws Error if a process came or went: what it did would be missing.
 */
export function subtractCpu(later: CpuReading, earlier: CpuReading): number {
  const same = later.size === earlier.size && [...later.keys()].every((pid) => earlier.has(pid));
  if (!same) throw new Error('a process began or ended within a measurement');
  return subtractLoosely(later, earlier);
}

/** The same for servers that start and end processes at will: those that ended are missing. */
export function subtractLoosely(later: CpuReading, earlier: CpuReading): number {
  return [...later].reduce((sum, [pid, us]) => sum + us - (earlier.get(pid) ?? 0), 0);
}

function readProcess(pid: number): number {
  const fields = readStat(pid) ?? [];
  const ticks = Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  let nanoseconds = 0;
  for (const thread of listNumbers(`/proc/${pid}/task`)) {
    nanoseconds += Number(readText(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0]);
  }
  return Math.max(ticks * TICK_US, nanoseconds / 1_000);
}

/** Fields after the command's name, which may hold anything: state, parent, … */
function readStat(pid: number): readonly string[] | undefined {
  const text = readText(`/proc/${pid}/stat`);
  return text === '' ? undefined : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function listNumbers(folder: string): readonly number[] {
  try {
    return readdirSync(folder).map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

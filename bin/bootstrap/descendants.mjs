import { readFileSync, readdirSync } from 'node:fs';

/**
 * The processes below `pid`, as far as /proc tells; none where there is no /proc. Each is named by
 * its number and the time of its start, so that a number given to another one later is no match.
 *
 * @returns {{ pid: number, startedAt: string }[]}
 */
export function listDescendants(pid) {
  const children = new Map();
  for (const one of listProcesses()) {
    children.set(one.parent, [...(children.get(one.parent) ?? []), one]);
  }
  const found = [];
  const below = [pid];
  for (let next = below.pop(); next !== undefined; next = below.pop()) {
    for (const child of children.get(next) ?? []) {
      found.push({ pid: child.pid, startedAt: child.startedAt });
      below.push(child.pid);
    }
  }
  return found;
}

/** The members of a process group that run, in the same form. */
export function listGroup(group) {
  return listProcesses().filter((one) => one.group === group && one.state !== 'Z');
}

/** Whether that very process still runs (one that only waits to be reaped does not). */
export function isRunning({ pid, startedAt }) {
  const now = readProcess(pid);
  return now?.startedAt === startedAt && now.state !== 'Z';
}

function listProcesses() {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(readProcess)
      .filter((one) => one !== undefined);
  } catch {
    return [];
  }
}

/** Fields of /proc/PID/stat, counted after the command's name, which may hold anything. */
function readProcess(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [state, parent, group] = fields;
    const startedAt = fields[19];
    return { pid: Number(pid), state, parent: Number(parent), group: Number(group), startedAt };
  } catch {
    return undefined;
  }
}

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A process that answers each line with one line of JSON. */
export interface LineChild {
  readonly pid: number;
  ask(command: string): Promise<unknown>;
  /** The next line that it says by itself. */
  hear(): Promise<unknown>;
  signal(signal: NodeJS.Signals): void;
  /** kill -9, and waits for the end. */
  kill(): Promise<void>;
}

const READER = besideThis('shared-child');
const WRITER = besideThis('shared-writer-child');
const running = new Set<ChildProcess>();

// A test that fails before its own clean-up must not leave processes behind.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export function startReader(path: string): LineChild {
  return start([READER, path]);
}

/** With the shared file's path. `prefix`: the command that runs node, and its arguments. */
export async function startWriter(
  directory: string,
  prefix: readonly string[] = [],
): Promise<LineChild & { readonly path: string }> {
  const child = start([WRITER, directory], prefix);
  const { path } = (await child.hear()) as { path: string };
  return { ...child, path };
}

/** A folder as the runtime directory is: in a tmpfs where there is one. */
export function makeSharedDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'nzgw-test-'));
  const remove = (): void => {
    process.off('exit', remove);
    rmSync(path, { recursive: true, force: true });
  };
  process.on('exit', remove);
  return { path, remove };
}

/** As source or as built, whichever this is. */
function besideThis(name: string): string {
  return fileURLToPath(new URL(name + extname(import.meta.url), import.meta.url));
}

function start(args: readonly string[], prefix: readonly string[] = []): LineChild {
  const [command = process.execPath, ...rest] = [...prefix, process.execPath, ...args];
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'ignore'] });
  running.add(child);
  const exited = once(child, 'exit').then(() => {
    running.delete(child);
  });
  // One that was killed is still written to.
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const hear = async (): Promise<unknown> => {
    const line = await lines.next();
    if (line.done === true) throw new Error('the process has ended');
    return JSON.parse(line.value) as unknown;
  };
  return {
    pid: child.pid ?? 0,
    hear,
    ask: (command) => {
      child.stdin.write(`${command}\n`);
      return hear();
    },
    signal: (signal) => child.kill(signal),
    kill: () => {
      child.kill('SIGKILL');
      return exited;
    },
  };
}

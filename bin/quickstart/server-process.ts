import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

const READY_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 15_000;
const LINES_KEPT = 20;

/** How a private server is started, and by what it tells that it is ready. */
export interface ServerPlan {
  readonly command: string;
  readonly argv0?: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** A line of its output, on either stream, that contains this text. */
  readonly readyText: string;
  /** The signal that makes it end in order. */
  readonly stopSignal: NodeJS.Signals;
}

export interface ServerProcess {
  readonly pid: number;
  /** Ends it in order, by force if that takes over 15 s; resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a server in a process group of its own, so that Ctrl-C reaches only us and we decide the
 * order of the end. It is signalled when this process exits by whatever way but a kill.
 * @throws Error with the last lines of its output if it ends or stays silent instead.
 */
export async function startServerProcess(plan: ServerPlan): Promise<ServerProcess> {
  const child = spawn(plan.command, plan.arguments, {
    ...(plan.argv0 === undefined ? {} : { argv0: plan.argv0 }),
    ...plan.owner,
    env: plan.environment,
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killAtExit = (): void => {
    child.kill(plan.stopSignal);
  };
  const gone = new Promise<void>((resolve) => {
    child.once('close', () => {
      process.off('exit', killAtExit);
      resolve();
    });
  });
  process.prependListener('exit', killAtExit);
  try {
    await waitUntilReady(child, plan);
  } catch (error) {
    child.kill('SIGKILL');
    await gone;
    throw error;
  }
  return { pid: child.pid ?? 0, stop: () => stop(child, plan.stopSignal, gone) };
}

async function waitUntilReady(child: ChildProcess, plan: ServerPlan): Promise<void> {
  const lines: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const fail = (what: string): void => {
    reject(new Error(`${plan.command} ${what}:\n${lines.join('\n')}`));
  };
  const timer = setTimeout(fail, READY_WITHIN_MS, 'did not become ready');
  child.once('error', (error) => {
    fail(`could not be started (${error.message})`);
  });
  child.once('close', (code, signal) => {
    fail(`ended with ${signal ?? String(code)}`);
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
      if (line.includes(plan.readyText)) resolve(undefined);
    });
  }
  await promise.finally(() => {
    clearTimeout(timer);
  });
}

async function stop(
  child: ChildProcess,
  signal: NodeJS.Signals,
  gone: Promise<void>,
): Promise<void> {
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOPPED_WITHIN_MS);
  await gone;
  clearTimeout(timer);
}

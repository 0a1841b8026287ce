import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

const LINES_SHOWN = 15;

export interface ChildPlan {
  /** Arguments for the Node that runs us. */
  readonly arguments: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Where its output goes; begun anew. */
  readonly logFile: string;
  /** After SIGTERM it may take so long; then it is killed. */
  readonly stopWithinMs: number;
}

export interface Child {
  readonly pid: number;
  /** Settles when it is gone. */
  readonly gone: Promise<void>;
  isRunning(): boolean;
  /** The last lines of its log. */
  readTail(): string;
  stop(): Promise<void>;
}

/**
 * Starts a Node process in a group of its own, so that Ctrl-C reaches us alone and we decide the
 * order of the end. Its stdin is a pipe of ours, by which it can tell when we are gone.
 */
export function startChild(plan: ChildPlan): Child {
  const log = openSync(plan.logFile, 'w', 0o600);
  const child = spawn(process.execPath, plan.arguments, {
    env: plan.environment,
    stdio: ['pipe', log, log],
    detached: true,
  });
  closeSync(log);
  const killAtExit = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killAtExit);
  const gone = new Promise<void>((resolve) => {
    const settle = (): void => {
      process.off('exit', killAtExit);
      resolve();
    };
    child.once('exit', settle).once('error', settle);
  });
  return {
    pid: child.pid ?? 0,
    gone,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    readTail: () => readTail(plan.logFile),
    stop: () => stopChild(child, gone, plan.stopWithinMs),
  };
}

async function stopChild(
  child: ChildProcess,
  gone: Promise<void>,
  withinMs: number,
): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
  await gone;
  clearTimeout(timer);
}

function readTail(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LINES_SHOWN).join('\n');
}

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../lib/root.ts';
import { noteSink } from './secret-grep.ts';

export interface RunOptions {
  /** The whole environment but PATH: nothing of the test's own settings gets through. */
  readonly env?: Readonly<Record<string, string>>;
  /** Given to stdin, which then ends. Without it stdin is empty. */
  readonly input?: string;
}

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `npm test` builds first, and what is built starts in a third of the time. */
const PROGRAM = fileURLToPath(
  new URL(process.env['NZGW_TEST_BUILT'] === '1' ? 'dist/bin/nzgw.js' : 'bin/nzgw.ts', ROOT),
);
const LONGEST_MS = 30_000;

/** Runs `nzgw` as a process of its own, without a terminal, to its end. */
export async function runNzgw(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { PATH = '', NODE_V8_COVERAGE } = process.env;
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { PATH, ...(NODE_V8_COVERAGE !== undefined && { NODE_V8_COVERAGE }), ...options.env },
    stdio: 'pipe',
    timeout: LONGEST_MS,
    killSignal: 'SIGKILL',
  });
  // A command that reads no stdin may be gone before it is written.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  noteSink(`stderr of nzgw ${args[0] ?? ''}`, stderr);
  return { code, stdout, stderr };
}

/** The one document of a run with `--json`. Throws if stdout holds anything else. */
export function readDocument(run: Run): Record<string, unknown> {
  return JSON.parse(run.stdout) as Record<string, unknown>;
}

/** The `error` of a failed run with `--json`. */
export function readFailure(run: Run): Record<string, unknown> {
  return (JSON.parse(run.stderr) as { error: Record<string, unknown> }).error;
}

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ROOT } from '../../lib/root.ts';

/** The built program: what is proved is what an operator would call. */
export const PROGRAM = fileURLToPath(new URL('dist/bin/nzgw.js', ROOT));

const WITHIN_MS = 60_000;

const errorShape = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

export interface NzgwAnswer {
  readonly exitCode: number;
  /** The document of `--json`; undefined where the command failed. */
  readonly document: unknown;
  /** What went wrong, as the command said it. */
  readonly message: string;
}

/** Runs a command of nzgw with `--json`; settings come by the environment, never by arguments. */
export function runNzgw(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<NzgwAnswer> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [PROGRAM, ...args, '--json'],
      { env: environment, timeout: WITHIN_MS, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({
          exitCode,
          document: exitCode === 0 ? JSON.parse(stdout) : undefined,
          message: exitCode === 0 ? '' : readMessage(stderr),
        });
      },
    );
  });
}

/** The same, read by a shape. Throws Error with the command's own words if it fails. */
export async function demandNzgw<T>(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  shape: z.ZodType<T>,
): Promise<T> {
  const { exitCode, document, message } = await runNzgw(args, environment);
  if (exitCode === 0) return shape.parse(document);
  throw new Error(`nzgw ${args.join(' ')} ended with ${exitCode}: ${message}`);
}

function readMessage(stderr: string): string {
  const last = stderr.trim().split('\n').at(-1) ?? '';
  try {
    return errorShape.parse(JSON.parse(last)).error.message;
  } catch {
    return stderr.trim();
  }
}

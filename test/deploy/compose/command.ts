import { spawn } from 'node:child_process';

export interface Outcome {
  readonly code: number;
  readonly out: string;
  /** Both streams together, the last 4 MiB. */
  readonly text: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly withinMs?: number;
}

const WITHIN_MS = 120_000;
const KEPT = 4_194_304;

/** Runs a program, and ends it with all that it started when its time is over (exit code 124). */
export function run(
  command: string,
  args: readonly string[],
  { cwd = '/', env = process.env, withinMs = WITHIN_MS }: CommandOptions = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let out = '';
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out = (out + chunk).slice(-KEPT);
      text = (text + chunk).slice(-KEPT);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-KEPT);
    });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, withinMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: isLate ? 124 : (code ?? 1), out, text });
    });
  });
}

/** The same; resolves to stdout. @throws Error with all that it said where it does not end with 0. */
export async function demand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { code, out, text } = await run(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${code}\n${text.slice(-4_000)}`);
  return out;
}

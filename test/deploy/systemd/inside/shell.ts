import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

const WITHIN_MS = 120_000;

export interface Outcome {
  readonly code: number;
  /** Both streams together. */
  readonly text: string;
}

/** A shell of root's that keeps its variables from one command to the next, as a reader's does. */
export interface Shell {
  /** @throws Error when the command does not end within two minutes. */
  run(command: string): Promise<Outcome>;
  close(): void;
}

export function openShell(cwd: string): Shell {
  const child = spawn('/bin/bash', ['--norc', '--noprofile'], {
    cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, HOME: '/root', LC_ALL: 'C.UTF-8' },
  });
  let text = '';
  let wake = (): void => undefined;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    wake();
  });
  child.stdin.write('exec 2>&1\n');
  return {
    run: async (command) => {
      const mark = randomBytes(8).toString('hex');
      text = '';
      // What a command may read is not what is typed next.
      child.stdin.write(`{ ${command}\n} < /dev/null\nprintf '\\n%s %s\\n' ${mark} $?\n`);
      const late = AbortSignal.timeout(WITHIN_MS);
      for (;;) {
        const [said, code] = text.split(`\n${mark} `);
        if (said !== undefined && code?.endsWith('\n') === true) {
          return { code: Number(code), text: said };
        }
        if (late.aborted) throw new Error(`did not end: ${command}\n${text}`);
        const heard = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await Promise.race([heard, wait(WITHIN_MS, undefined, { ref: false, signal: late })]).catch(
          () => undefined,
        );
      }
    },
    close: () => {
      child.stdin.end();
    },
  };
}

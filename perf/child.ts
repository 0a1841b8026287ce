import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../lib/root.ts';

const STOP_WITHIN_MS = 10_000;
const running = new Set<ChildProcess>();

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A process that speaks JSON lines. */
export class Child {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #said = '';

  constructor(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    this.process = spawn(command, args, {
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    running.add(this.process);
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-2_000);
    });
    this.process.once('exit', () => running.delete(this.process));
    const lines: Interface = createInterface({ input: this.process.stdout ?? process.stdin });
    this.#lines = lines[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  get isRunning(): boolean {
    return running.has(this.process);
  }

  /** The end of what it wrote to stderr. */
  get lastWords(): string {
    return this.#said;
  }

  send(message: object): void {
    this.process.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  /** The next line of its stdout. Throws Error if it ends instead. */
  async readJson(): Promise<unknown> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error(`process ${this.pid} ended: ${this.#said}`);
    return JSON.parse(next.value);
  }

  async stop(): Promise<void> {
    if (!this.isRunning) return;
    const gone = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_WITHIN_MS);
    await gone;
    clearTimeout(timer);
  }
}

/** A file of the built product, run by this Node. */
export function startBuilt(path: string, ...args: readonly string[]): Child {
  return new Child(process.execPath, [fileURLToPath(new URL(`dist/${path}`, ROOT)), ...args]);
}

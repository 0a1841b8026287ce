import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { isRunning, listDescendants, listGroup } from './descendants.mjs';

const LOOK_EVERY_MS = 500;
const SETTLE_MS = 1_000;
const GRACE_MS = 5_000;

/**
 * A process group of its own, and all that descends from it, servers in groups of their own
 * included: what it leaves behind is known and ended.
 */
export class JobProcess {
  text = '';
  /** Resolves to the exit code; 1 when a signal ended it, 127 when it could not be started. */
  exited;
  #child;
  #family = new Map();
  #timer;

  /** `onLook` is called every half second while it runs. */
  constructor(command, args, { onLook, ...options }) {
    this.#child = spawn(command, args, {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk) => (this.text += chunk));
    }
    this.#timer = setInterval(() => {
      this.#look();
      onLook();
    }, LOOK_EVERY_MS);
    this.exited = new Promise((resolve) => {
      this.#child.once('error', () => resolve(127));
      this.#child.once('exit', (code) => resolve(code ?? 1));
    }).finally(() => clearInterval(this.#timer));
  }

  /** Ends it and everything below it. Resolves to whether anything had to be ended. */
  async end() {
    this.#look();
    if (await this.#isGone(SETTLE_MS)) return false;
    this.#signal('SIGTERM');
    if (await this.#isGone(GRACE_MS)) return true;
    this.#signal('SIGKILL');
    await this.#isGone(GRACE_MS);
    return true;
  }

  #look() {
    if (this.#child.pid === undefined) return;
    const seen = [...listDescendants(this.#child.pid), ...listGroup(this.#child.pid)];
    for (const one of seen) this.#family.set(one.pid, one);
  }

  /** What only waits to be reaped, and may do so for ever in a container, counts as gone. */
  async #isGone(withinMs) {
    for (const endMs = Date.now() + withinMs; ; await pause(20)) {
      if (!this.#isAlive() && this.#members().length === 0) return true;
      if (Date.now() > endMs) return false;
    }
  }

  #isAlive() {
    const { pid, exitCode, signalCode } = this.#child;
    return pid !== undefined && exitCode === null && signalCode === null;
  }

  #members() {
    return [...this.#family.values()].filter(isRunning);
  }

  #signal(signal) {
    if (this.#child.pid !== undefined) sendSignal(-this.#child.pid, signal);
    for (const { pid } of this.#members()) sendSignal(pid, signal);
  }
}

function sendSignal(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}

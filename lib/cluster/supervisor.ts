import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { SettingsInForce } from '../config/load-settings.ts';
import { describeError } from '../log/logger.ts';
import type { Logger } from '../log/logger.ts';
import type { Clock } from '../time/clock.ts';
import type { Child } from './child.ts';
import { isFromWorker } from './messages.ts';
import type { FromPrimary, FromWorker } from './messages.ts';
import { makeRestartPolicy } from './restart-policy.ts';
import type { Crew } from './roll.ts';

export interface SupervisorParts {
  readonly entry: URL;
  /** At the start; then what `takeOver` and `adopt` brought. */
  readonly settings: SettingsInForce;
  readonly clock: Clock;
  readonly log: Logger;
  /** The first thing said to a new worker. */
  greet(child: Child): FromPrimary;
  onMessage(child: Child, message: FromWorker): void;
  onExit(child: Child): void;
  /** More than five exits in 30 s: the host's service manager has to take over. */
  onCrashLoop(): void;
}

/** How long after the grace a worker may take to say its last words before it is killed. */
const KILL_MARGIN_MS = 5_000;
/** A worker that says nothing for so long hangs, and with it every connection that it holds. */
const SILENCE_MS = 5_000;
/** Until its first message: it has to load. */
const START_MS = 15_000;
const LISTEN_EVERY_MS = 1_000;

/**
 * Keeps so many workers alive as the settings say: a dead one is replaced after a pause that grows
 * while they die. For new settings each is replaced in a roll (roll.ts).
 */
export class Supervisor implements Crew<Child> {
  readonly #parts: SupervisorParts;
  readonly #children = new Set<Child>();
  readonly #pauses = new Set<NodeJS.Timeout>();
  readonly #restarts = makeRestartPolicy();
  #settings: SettingsInForce;
  #stopping = false;
  #settled = true;
  #watch: NodeJS.Timeout | undefined;
  #lookedAtMs = 0;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#settings = parts.settings;
  }

  start(): void {
    // With the default policy the primary accepts and hands connections over: a stopped primary
    // would stop them all. So the workers accept from the shared socket themselves.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({ exec: fileURLToPath(this.#parts.entry), args: [] });
    for (let n = 0; n < this.#settings.settings.workers; n += 1) this.#fork();
    this.#lookedAtMs = this.#parts.clock.monotonicMs();
    this.#watch = setInterval(() => {
      this.tell({ type: 'alive' });
      // At the end the grace decides: who settles the last of it may be busy.
      if (!this.#stopping) this.#killSilent();
    }, LISTEN_EVERY_MS);
  }

  tell(message: FromPrimary): void {
    for (const { worker } of this.#children) if (worker.isConnected()) worker.send(message);
  }

  /**
   * Tells the workers to drain and waits for them; kills what outstays the grace and 5 s more.
   * False: one ended otherwise than with everything settled.
   */
  async stop(graceMs: number): Promise<boolean> {
    this.#stopping = true;
    for (const pause of this.#pauses) clearTimeout(pause);
    const exits = [...this.#children].map(({ worker }) => waitForExit(worker));
    this.tell({ type: 'drain', graceMs, replaced: false });
    const deadline = setTimeout(() => {
      for (const { worker } of this.#children) worker.process.kill('SIGKILL');
    }, graceMs + KILL_MARGIN_MS);
    await Promise.all(exits);
    clearTimeout(deadline);
    // Not before: workers end a primary that they do not hear, whatever it waits for.
    clearInterval(this.#watch);
    return this.#settled;
  }

  hasOutdated(settings: SettingsInForce): boolean {
    return this.#findOutdated(settings) !== undefined;
  }

  adopt(settings: SettingsInForce): void {
    this.#settings = settings;
  }

  forkOnTrial(settings: SettingsInForce): Child | undefined {
    return this.#stopping ? undefined : this.#fork(settings, false);
  }

  takeOver(child: Child): Child | undefined {
    child.kept = true;
    this.#settings = child.settings;
    const old = this.#findOutdated(child.settings);
    if (old) old.kept = false;
    else this.#cancelPause();
    return old;
  }

  async retire(child: Child, graceMs: number): Promise<void> {
    const { worker } = child;
    if (!this.#children.has(child)) return;
    const exit = waitForExit(worker);
    if (worker.isConnected()) worker.send({ type: 'drain', graceMs, replaced: true });
    const deadline = setTimeout(() => {
      worker.process.kill('SIGKILL');
    }, graceMs + KILL_MARGIN_MS);
    await exit;
    clearTimeout(deadline);
  }

  discard(child: Child): void {
    child.worker.process.kill('SIGKILL');
  }

  /** The longest of those that run with other settings. */
  #findOutdated(settings: SettingsInForce): Child | undefined {
    return [...this.#children].find((child) => child.kept && child.settings !== settings);
  }

  #cancelPause(): void {
    const [pause] = this.#pauses;
    if (pause === undefined) return;
    clearTimeout(pause);
    this.#pauses.delete(pause);
  }

  /** Undefined if none could be started; one that is kept is tried again. */
  #fork(settings = this.#settings, kept = true): Child | undefined {
    const heardAtMs = this.#parts.clock.monotonicMs() + START_MS - SILENCE_MS;
    const worker = this.#startProcess();
    if (!worker) {
      if (kept) this.#replace();
      return undefined;
    }
    const listens = Promise.withResolvers<boolean>();
    const child = { incarnation: randomUUID(), worker, settings, listens, kept, heardAtMs };
    this.#children.add(child);
    child.worker.on('message', (message: unknown) => {
      if (!isFromWorker(message)) return;
      // What was still on its way when it ended would make it look alive again; but it was counted.
      if (!this.#children.has(child) && message.type !== 'metrics') return;
      child.heardAtMs = this.#parts.clock.monotonicMs();
      this.#parts.onMessage(child, message);
      if (message.type === 'listening') listens.resolve(true);
    });
    // A message to a worker that is just dying fails here; its exit tells the rest.
    worker.on('error', () => undefined);
    child.worker.once('exit', (code, signal) => {
      this.#noteExit(child, code, signal);
    });
    worker.send(this.#parts.greet(child));
    return child;
  }

  /** Undefined where the machine has no process or no files left. */
  #startProcess(): Worker | undefined {
    const report = (error: unknown): void => {
      const fields = { event: 'fork_failed', ...describeError(error) };
      this.#parts.log.error(fields, 'no worker can be started');
    };
    try {
      const worker = cluster.fork();
      if (worker.process.pid !== undefined) return worker;
      // There is no exit, and maybe no channel; the reason is told in the next turn.
      worker.once('error', report);
    } catch (error) {
      report(error);
    }
    return undefined;
  }

  /** A worker that hangs is killed: it will not listen to anything else. */
  #killSilent(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    // This process itself was stopped or busy: it has not listened, so nobody was silent.
    const wasAway = nowMs - this.#lookedAtMs > 2 * LISTEN_EVERY_MS;
    this.#lookedAtMs = nowMs;
    const silent: Child[] = [];
    for (const child of this.#children) {
      if (wasAway) child.heardAtMs = Math.max(child.heardAtMs, nowMs);
      if (nowMs - child.heardAtMs > SILENCE_MS) silent.push(child);
    }
    for (const child of silent) child.worker.process.kill('SIGKILL');
    // Said last: a log that hangs may be what they hang in.
    for (const { worker } of silent) {
      const fields = { event: 'worker_silent', worker_pid: worker.process.pid };
      this.#parts.log.error(fields, 'worker hangs');
    }
  }

  #noteExit(child: Child, code: number | null, signal: string | null): void {
    if (!this.#children.delete(child)) return;
    child.listens.resolve(false);
    this.#parts.onExit(child);
    if (this.#stopping) {
      if (code === 0) return;
      this.#settled = false;
    }
    const { log } = this.#parts;
    const fields = { worker_pid: child.worker.process.pid, code, signal };
    if (!child.kept) {
      log.info({ event: 'worker_left', ...fields }, 'worker ended that was to be replaced');
      return;
    }
    log.error({ event: 'worker_exit', ...fields }, 'worker ended');
    if (!this.#stopping) this.#replace();
  }

  #replace(): void {
    const pauseMs = this.#restarts.noteExit(this.#parts.clock.monotonicMs());
    if (pauseMs === undefined) {
      this.#parts.onCrashLoop();
      return;
    }
    const pause = setTimeout(() => {
      this.#pauses.delete(pause);
      this.#fork();
    }, pauseMs);
    this.#pauses.add(pause);
  }
}

function waitForExit(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.once('exit', () => {
      resolve();
    });
  });
}

import { spawn } from 'node:child_process';
import type { Environment } from '../config/read-sources.ts';
import { describeError } from '../log/logger.ts';
import type { Logger } from '../log/logger.ts';
import type { Clock } from '../time/clock.ts';
import { inTime } from '../time/in-time.ts';
import { readWatchdogMs } from './watchdog-period.ts';

/** Tells the service manager how the gateway is; says nothing where there is none. */
export interface ServiceNotifier {
  /** Said at the first listening worker, and when a reload is over. Starts the watchdog's signs of life. */
  ready(): void;
  reloading(): void;
  stopping(): void;
  /** One line, told when it is another one than before. */
  status(text: string): void;
  /** Resolves when all is said, or after a second. */
  close(): Promise<void>;
}

export interface NotifierParts {
  /** NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, PATH. */
  readonly environment: Environment;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether the watchdog may hear that all is well. */
  readonly isAlive: () => boolean;
}

const PROGRAM = 'systemd-notify';
/** Beyond it the program is killed: it waits for the manager, which may be stopped. */
const PROGRAM_MS = 5_000;
const CLOSE_MS = 1_000;

/** Node cannot write to $NOTIFY_SOCKET itself (a datagram socket); systemd's own program does. */
export function openSystemdNotifier(parts: NotifierParts): ServiceNotifier {
  return new SystemdNotifier(parts);
}

/** Only the newest of each is said, in one message, when the program is free again. */
type Kind = 'state' | 'status' | 'watchdog';

class SystemdNotifier implements ServiceNotifier {
  readonly #parts: NotifierParts;
  readonly #waiting = new Map<Kind, readonly string[]>();
  #silent: boolean;
  #warned = false;
  #status = '';
  #state = '';
  #saying: Promise<void> | undefined;
  #signs: NodeJS.Timeout | undefined;

  constructor(parts: NotifierParts) {
    this.#parts = parts;
    this.#silent = !parts.environment['NOTIFY_SOCKET'];
  }

  ready(): void {
    if (this.#state === 'STOPPING=1') return;
    this.#enter('READY=1');
    const periodMs = readWatchdogMs(this.#parts.environment, process.pid);
    if (this.#silent || periodMs === undefined) return;
    this.#signs ??= setInterval(() => {
      if (this.#parts.isAlive()) this.#say('watchdog', ['WATCHDOG=1']);
    }, periodMs / 2);
  }

  reloading(): void {
    // `Type=notify-reload` wants to know which SIGHUP this answers.
    const nowUs = Math.floor(this.#parts.clock.monotonicMs() * 1_000);
    this.#enter('RELOADING=1', `MONOTONIC_USEC=${nowUs}`);
  }

  stopping(): void {
    clearInterval(this.#signs);
    this.#waiting.delete('watchdog');
    this.#enter('STOPPING=1');
    this.status('stopping');
  }

  status(text: string): void {
    if (text === this.#status) return;
    this.#status = text;
    this.#say('status', [`STATUS=${text}`]);
  }

  async close(): Promise<void> {
    clearInterval(this.#signs);
    await inTime(CLOSE_MS, Promise.resolve(this.#saying), () => undefined);
  }

  /** The end is final, and nothing is said twice. */
  #enter(state: string, ...more: readonly string[]): void {
    if (this.#state === state || this.#state === 'STOPPING=1') return;
    this.#state = state;
    this.#say('state', [state, ...more]);
  }

  #say(kind: Kind, assignments: readonly string[]): void {
    if (this.#silent) return;
    this.#waiting.set(kind, assignments);
    this.#saying ??= this.#sayAll().finally(() => {
      this.#saying = undefined;
    });
  }

  async #sayAll(): Promise<void> {
    // What is said in one turn goes together.
    await Promise.resolve();
    while (this.#waiting.size > 0) {
      const assignments = [...this.#waiting.values()].flat();
      this.#waiting.clear();
      await this.#run(assignments);
    }
  }

  #run(assignments: readonly string[]): Promise<void> {
    const { PATH, NOTIFY_SOCKET } = this.#parts.environment;
    return new Promise((resolve) => {
      const fail = (error: unknown): void => {
        const fields = describeError(error);
        this.#silent ||= ['ENOENT', 'EACCES'].includes(String(fields['error.code']));
        this.#warn(fields);
        resolve();
      };
      try {
        const child = spawn(PROGRAM, [...assignments], {
          stdio: 'ignore',
          env: { PATH, NOTIFY_SOCKET },
          timeout: PROGRAM_MS,
          killSignal: 'SIGKILL',
        });
        child.once('error', fail);
        child.once('close', (code, signal) => {
          if (code !== 0) this.#warn({ code, signal });
          resolve();
        });
      } catch (error) {
        // Some are thrown, not told: ENOMEM, ETXTBSY.
        fail(error);
      }
    });
  }

  /** Once: whatever the reason, it will be the same the next time. */
  #warn(fields: Readonly<Record<string, string | number | boolean | null | undefined>>): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#parts.log.warn(
      { event: 'service_manager_not_told', ...fields },
      `${PROGRAM} does not work: the service manager is not told how the gateway is`,
    );
  }
}

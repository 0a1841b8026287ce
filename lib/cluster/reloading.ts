import { SettingsError } from '../config/load-settings.ts';
import type { SettingsInForce } from '../config/load-settings.ts';
import type { Environment } from '../config/read-sources.ts';
import { reloadSettings } from '../config/reload-settings.ts';
import type { ReloadedSettings } from '../config/reload-settings.ts';
import { describeError } from '../log/logger.ts';
import type { LeveledLogger } from '../log/logger.ts';
import type { Child } from './child.ts';
import { rollWorkers } from './roll.ts';
import type { Crew } from './roll.ts';

export interface ReloadingParts {
  readonly inForce: SettingsInForce;
  /** As the process was started with it. */
  readonly environment: Environment;
  readonly log: LeveledLogger;
  /** The gateway ends, for whatever reason. */
  readonly stop: AbortSignal;
  /** Before the first worker with new settings begins. */
  readonly onAccepted: (settings: SettingsInForce) => void;
  readonly onRetire: (child: Child) => void;
  /** `true` while workers are replaced. */
  readonly onBusy: (busy: boolean) => void;
}

const TRIAL_MS = 20_000;

/**
 * SIGHUP (SPEC §14): settings are read anew, checked as a whole, and brought into force by replacing
 * the workers. Another one meanwhile is remembered once, and so is one that comes before the start.
 */
export class Reloading {
  readonly #parts: ReloadingParts;
  #inForce: SettingsInForce;
  #crew: Crew<Child> | undefined;
  #wanted = false;
  #running: Promise<void> | undefined;

  constructor(parts: ReloadingParts) {
    this.#parts = parts;
    this.#inForce = parts.inForce;
  }

  /** What the primary itself goes by, of what needs no restart. */
  get settings(): SettingsInForce['settings'] {
    return this.#inForce.settings;
  }

  request(): void {
    this.#wanted = true;
    this.#next();
  }

  /** From now on there are workers. */
  begin(crew: Crew<Child>): void {
    this.#crew = crew;
    this.#next();
  }

  /** Resolves when no roll runs any more; `stop` must have fired before. */
  async finish(): Promise<void> {
    this.#wanted = false;
    await this.#running;
  }

  #next(): void {
    if (!this.#wanted || this.#running || !this.#crew || this.#parts.stop.aborted) return;
    this.#wanted = false;
    this.#running = this.#reload(this.#crew)
      .catch((error: unknown) => {
        this.#noteBreak(error);
      })
      .finally(() => {
        this.#running = undefined;
        this.#next();
      });
  }

  async #reload(crew: Crew<Child>): Promise<void> {
    const next = this.#read();
    if (!next) return;
    const { log, stop, onAccepted, onBusy, onRetire } = this.#parts;
    onBusy(true);
    onAccepted(next);
    const before = this.#inForce;
    this.#apply(next);
    const end = await rollWorkers({ crew, settings: next, trialMs: TRIAL_MS, onRetire, stop });
    // Where others came up before, they run with the new settings, and so does what comes.
    if (end === 'failed') this.#apply(before);
    if (end === 'done') log.info({ event: 'reloaded' }, 'every worker has the new settings');
    else if (end !== 'stopped') {
      log.error({ event: `reload_${end}` }, 'a new worker did not come up; the old ones run on');
    }
    if (end !== 'stopped') onBusy(false);
  }

  /** A bug, or a machine at its end: the workers that there are run on. */
  #noteBreak(error: unknown): void {
    const { log, stop, onBusy } = this.#parts;
    log.error({ event: 'reload_failed', ...describeError(error) }, 'the reload broke off');
    if (!stop.aborted) onBusy(false);
  }

  /** Undefined where they cannot be used; the log says why. */
  #read(): ReloadedSettings | undefined {
    const { log, environment } = this.#parts;
    try {
      const next = reloadSettings(environment, this.#inForce);
      const changed = next.changed.join(', ');
      log.info({ event: 'reloading', changed }, `settings changed: ${changed || 'none'}`);
      for (const warning of next.warnings) log.warn({ event: 'setting_warning' }, warning);
      if (next.needRestart.length > 0) {
        const names = next.needRestart.join(', ');
        log.warn({ event: 'restart_needed', settings: names }, `not before a restart: ${names}`);
      }
      return next;
    } catch (error) {
      const isFault = error instanceof SettingsError;
      const said = isFault ? { faults: error.faults.join('; ') } : describeError(error);
      log.error({ event: 'reload_refused', ...said }, 'settings cannot be used; the old ones stay');
      return undefined;
    }
  }

  #apply(inForce: SettingsInForce): void {
    this.#inForce = inForce;
    this.#parts.log.setLevel(inForce.settings.logLevel);
  }
}

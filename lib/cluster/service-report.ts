import type { Readiness } from '../health/readiness.ts';
import { describeService } from './service-status.ts';
import { openSystemdNotifier } from './systemd-notifier.ts';
import type { NotifierParts, ServiceNotifier } from './systemd-notifier.ts';

export interface ServiceReportParts extends Omit<NotifierParts, 'isAlive'> {
  /** Workers that take connections. */
  readonly countWorkers: () => number;
  readonly readReadiness: () => Readiness;
}

/** What the service manager hears of the gateway's life: whether somebody listens, reloads, the end. */
export class ServiceReport {
  readonly #parts: ServiceReportParts;
  readonly #notifier: ServiceNotifier;
  /** It was ready once: only then a reload means something. */
  #begun = false;
  #reloading = false;
  #ending = false;

  constructor(parts: ServiceReportParts) {
    this.#parts = parts;
    this.#notifier = openSystemdNotifier({ ...parts, isAlive: () => parts.countWorkers() > 0 });
    this.#notifier.status('waiting for Postgres and Redis');
  }

  /** Workers came or went, or something else is missing than before. */
  update(): void {
    if (this.#ending) return;
    const workers = this.#parts.countWorkers();
    // The first one counts though it is being replaced already. Without one nobody is ready.
    if (workers > 0 && (!this.#begun || !this.#reloading)) this.#notifier.ready();
    this.#begun ||= workers > 0;
    this.#notifier.status(describeService(this.#parts.readReadiness(), workers));
  }

  /** `true` while workers are replaced. */
  setReloading(reloading: boolean): void {
    this.#reloading = reloading;
    if (reloading && this.#begun) this.#notifier.reloading();
    this.update();
  }

  stopping(): void {
    this.#ending = true;
    this.#notifier.stopping();
  }

  /** Waits a moment for the service manager to hear the last of it. */
  close(): Promise<void> {
    return this.#notifier.close();
  }
}

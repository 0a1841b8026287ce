import type { SettingsInForce } from '../config/load-settings.ts';
import type { Environment } from '../config/read-sources.ts';
import type { Readiness, ReadinessWatch } from '../health/readiness.ts';
import type { LeveledLogger } from '../log/logger.ts';
import type { SharedWriter } from '../shared/shared-writer.ts';
import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';
import type { Child } from './child.ts';
import { startDuties, toMarkerMs } from './duties.ts';
import type { Duties } from './duties.ts';
import { GatewayMetrics } from './gateway-metrics.ts';
import type { FromWorker } from './messages.ts';
import { Reloading } from './reloading.ts';
import { ServiceReport } from './service-report.ts';
import { Supervisor } from './supervisor.ts';
import { watchGateway } from './watch-gateway.ts';

export interface PrimaryParts extends SettingsInForce {
  /** Where the settings were read from, and are read again; what a service manager has set. */
  readonly environment: Environment;
  readonly clock: Clock;
  readonly log: LeveledLogger;
  /** Of the product. */
  readonly version: string;
  /** The worker process's entry. */
  readonly workerEntry: URL;
  /** Takes who is to be told when the process is asked to read its settings again. */
  readonly onHangup: (listener: () => void) => void;
  /** Fires when the process is asked to stop. */
  readonly stop: AbortSignal;
}

/** How the primary ended; a stop in which something was lost has failed. 70 is EX_SOFTWARE: the service manager takes over. */
export const PRIMARY_EXIT = { stopped: 0, failed: 1, crashed: 70 } as const;
export type PrimaryExit = (typeof PRIMARY_EXIT)[keyof typeof PRIMARY_EXIT];

/** The primary process of a host's gateway, from its workers' start to their end. */
export class Primary {
  readonly #parts: PrimaryParts;
  readonly #metrics: GatewayMetrics;
  readonly #listening = new Set<Child>();
  readonly #end = Promise.withResolvers<PrimaryExit>();
  readonly #startedAtMs: number;
  readonly #service: ServiceReport;
  readonly #reloading: Reloading;
  #markerMs: number;
  #duties: Duties | undefined;
  #watch: ReadinessWatch | undefined;
  #supervisor: Supervisor | undefined;
  /** Fires when the end begins, whatever it is for. */
  readonly #ending = new AbortController();

  constructor(parts: PrimaryParts) {
    this.#parts = parts;
    this.#startedAtMs = parts.clock.monotonicMs();
    this.#markerMs = toMarkerMs(parts.settings);
    this.#service = new ServiceReport({
      ...parts,
      countWorkers: () => this.#listening.size,
      readReadiness: () => this.readiness(),
    });
    this.#reloading = this.#prepareReloading();
    parts.onHangup(() => {
      this.#reloading.request();
    });
    this.#metrics = new GatewayMetrics({
      ...parts,
      countWorkers: () => this.#listening.size,
      readReadiness: () => this.readiness(),
    });
  }

  /** No worker takes requests any more once the end has begun, whatever the last look said. */
  readiness(): Readiness {
    const { status, checks } = this.#watch?.current() ?? { status: 'fail', checks: {} };
    if (!this.#ending.signal.aborted) return { status, checks };
    return { status: 'fail', checks: { ...checks, workers: { status: 'fail', ms: 0 } } };
  }

  renderMetrics(): AsyncIterable<string> {
    return this.#metrics.render();
  }

  /** Waits a moment for the service manager to hear the last of it, and for a look at budgets. */
  async close(): Promise<void> {
    await Promise.all([this.#service.close(), this.#metrics.stop()]);
  }

  async run(redis: Redis, shared: SharedWriter, shards: number): Promise<PrimaryExit> {
    const { clock, log, stop } = this.#parts;
    const onStop = (): void => {
      this.#finish(PRIMARY_EXIT.stopped);
    };
    stop.addEventListener('abort', onStop);
    // It may have come while the stores were asked.
    if (stop.aborted) onStop();
    const duties = (this.#duties = startDuties({
      ...this.#parts,
      redis,
      shared,
      shards,
      counts: this.#metrics.counts,
      readMarkerMs: () => this.#markerMs,
      announceModels: () => this.#supervisor?.tell({ type: 'models' }),
      announceChange: () => this.#supervisor?.tell({ type: 'changed' }),
      onFatal: () => {
        this.#finish(PRIMARY_EXIT.crashed);
      },
    }));
    this.#metrics.begin({ duties, redis, shards });
    await Promise.race([duties.trust.firstSnapshot, this.#end.promise]);

    this.#supervisor = this.#supervise(shared.path, shards);
    this.#watch = watchGateway({
      ...this.#parts,
      redis,
      duties,
      countWorkers: () => this.#listening.size,
      onChange: ({ status }) => {
        this.#supervisor?.tell({ type: 'readiness', ready: status === 'pass' });
        this.#service.update();
      },
    });
    if (!this.#ending.signal.aborted) {
      this.#supervisor.start();
      this.#reloading.begin(this.#supervisor);
    }
    const exit = await this.#end.promise;

    log.info({ event: 'stopping' }, 'stopping');
    this.#supervisor.tell({ type: 'readiness', ready: false });
    const { drainSeconds } = this.#reloading.settings;
    const graceMs = exit === PRIMARY_EXIT.stopped ? drainSeconds * 1_000 : 0;
    const [settled] = await Promise.all([this.#supervisor.stop(graceMs), this.#watch.stop()]);
    await this.#reloading.finish();
    await duties.stop();
    const uptimeMs = clock.monotonicMs() - this.#startedAtMs;
    log.info({ event: 'stopped', uptime_s: Math.round(uptimeMs / 1_000) }, 'stopped');
    return exit === PRIMARY_EXIT.stopped && !settled ? PRIMARY_EXIT.failed : exit;
  }

  /** The first reason to end is the one that counts. */
  #finish(exit: PrimaryExit): void {
    this.#ending.abort();
    this.#service.stopping();
    this.#end.resolve(exit);
  }

  #supervise(sharedPath: string, shards: number): Supervisor {
    const { settings, texts, clock, log, workerEntry } = this.#parts;
    return new Supervisor({
      entry: workerEntry,
      settings: { settings, texts },
      clock,
      log,
      greet: (child) => ({
        type: 'start',
        sharedPath,
        shards,
        incarnation: child.incarnation,
        settings: child.settings.texts,
        primaryPid: process.pid,
        ready: this.readiness().status === 'pass',
      }),
      onMessage: (child, message) => {
        this.#hear(child, message);
      },
      onExit: (child) => {
        this.#noteUnheard(child);
        this.#metrics.fleet.retire(child.incarnation);
        if (child.kept && !this.#ending.signal.aborted) this.#metrics.counts.workerDied();
        this.#duties?.noteExit(child.incarnation);
      },
      onCrashLoop: () => {
        log.fatal({ event: 'crash_loop' }, 'workers die as soon as they start');
        this.#finish(PRIMARY_EXIT.crashed);
      },
    });
  }

  #hear(child: Child, message: FromWorker): void {
    const { log } = this.#parts;
    const pid = child.worker.process.pid;
    switch (message.type) {
      case 'listening': {
        const { host, port } = message;
        if (this.#listening.size === 0) log.info({ event: 'listening', host, port }, 'listening');
        log.info({ event: 'worker_listening', worker_pid: pid, port }, 'worker ready');
        this.#listening.add(child);
        const ready = this.readiness().status === 'pass';
        child.worker.send({ type: 'readiness', ready });
        this.#service.update();
        return;
      }
      case 'metrics':
        this.#metrics.fleet.take(child.incarnation, message.readings);
        return;
      case 'admitting':
        this.#duties?.noteAdmitting();
        return;
      case 'fills':
        this.#duties?.shards.wake(message.shard);
        return;
      case 'failed': {
        const { reason } = message;
        log.fatal({ event: 'worker_failed', worker_pid: pid, reason }, reason);
        // One on trial ends its roll and nothing else.
        if (child.kept) this.#finish(PRIMARY_EXIT.failed);
        else child.listens.resolve(false);
      }
    }
  }

  /** A worker that takes no connections any more. */
  #noteUnheard(child: Child): void {
    this.#listening.delete(child);
    this.#service.update();
  }

  #prepareReloading(): Reloading {
    const { settings, texts, ...parts } = this.#parts;
    return new Reloading({
      ...parts,
      inForce: { settings, texts },
      stop: this.#ending.signal,
      onAccepted: (next) => {
        this.#markerMs = Math.max(this.#markerMs, toMarkerMs(next.settings));
      },
      onRetire: (child) => {
        this.#noteUnheard(child);
      },
      onBusy: (busy) => {
        this.#service.setReloading(busy);
      },
    });
  }
}

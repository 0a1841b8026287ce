import type { Settings } from '../config/settings.ts';
import { watchReadiness } from '../health/readiness.ts';
import type { Readiness, ReadinessWatch } from '../health/readiness.ts';
import { describeError } from '../log/logger.ts';
import type { Logger } from '../log/logger.ts';
import { makeFleetMetrics } from '../metrics/fleet-metrics.ts';
import type { FleetMetrics } from '../metrics/fleet-metrics.ts';
import { makePrimaryMetrics } from '../metrics/primary-metrics.ts';
import type { SharedWriter } from '../shared/shared-writer.ts';
import { openRedis } from '../store/redis.ts';
import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';
import { openAdminServer } from './admin-server.ts';
import type { AdminServer } from './admin-server.ts';
import { startDuties } from './duties.ts';
import type { Duties } from './duties.ts';
import type { FromWorker } from './messages.ts';
import { prepareShared, prepareStores } from './prepare.ts';
import { makeProbes } from './probes.ts';
import { Supervisor } from './supervisor.ts';
import type { Child } from './supervisor.ts';

export interface PrimaryParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Logger;
  /** The worker process's entry. */
  readonly workerEntry: URL;
  /** Added to the workers' environment: where their settings are read from. */
  readonly workerEnvironment: Readonly<Record<string, string>>;
  /** Fires when the process is asked to stop. */
  readonly stop: AbortSignal;
}

/** Why the primary ended. 70 is EX_SOFTWARE: the service manager takes over. */
export const PRIMARY_EXIT = { stopped: 0, failed: 1, crashed: 70 } as const;
export type PrimaryExit = (typeof PRIMARY_EXIT)[keyof typeof PRIMARY_EXIT];

const REDIS_TIMEOUT_MS = 5_000;
const CHECK_EVERY_MS = 500;
const CHECK_TIMEOUT_MS = 1_000;

/**
 * The life of a host's gateway: settings are read, stores are waited for, workers run until the
 * stop. Resolves with the exit code. Throws StartError for what waiting cannot mend.
 */
export async function runPrimary(parts: PrimaryParts): Promise<PrimaryExit> {
  const { settings, stop, log } = parts;
  const primary = new Primary(parts);
  const admin = await openAdmin(parts, primary);
  if (!admin) return PRIMARY_EXIT.failed;
  const redis = openRedis({
    url: settings.redisUrl,
    connectionName: 'nzgw-primary',
    commandTimeoutMs: REDIS_TIMEOUT_MS,
  });
  let shared: SharedWriter | undefined;
  try {
    const { shards } = await prepareStores(settings, redis, log, stop);
    shared = prepareShared(settings.runtimeDirectory);
    return await primary.run(redis, shared, shards);
  } catch (error) {
    if (stop.aborted) return PRIMARY_EXIT.stopped;
    throw error;
  } finally {
    await admin.close();
    redis.disconnect();
    await shared?.close();
  }
}

/** Undefined where its port cannot be had; the log says so. */
async function openAdmin(
  { settings, log }: PrimaryParts,
  primary: Primary,
): Promise<AdminServer | undefined> {
  const { adminHost: host, adminPort } = settings;
  try {
    const admin = await openAdminServer({
      host,
      port: adminPort,
      readiness: () => primary.readiness(),
      renderMetrics: () => primary.renderMetrics(),
    });
    log.info({ event: 'admin_listening', host, port: admin.port }, 'admin listener');
    return admin;
  } catch (error) {
    log.fatal(
      { event: 'admin_failed', host, port: adminPort, ...describeError(error) },
      `the admin listener cannot listen on ${host}:${adminPort}`,
    );
    return undefined;
  }
}

class Primary {
  readonly #parts: PrimaryParts;
  readonly #metrics: FleetMetrics;
  readonly #counts = makePrimaryMetrics();
  readonly #listening = new Set<Child>();
  readonly #end = Promise.withResolvers<PrimaryExit>();
  readonly #startedAtMs: number;
  #duties: Duties | undefined;
  #watch: ReadinessWatch | undefined;
  #supervisor: Supervisor | undefined;
  #ending = false;

  constructor(parts: PrimaryParts) {
    this.#parts = parts;
    this.#startedAtMs = parts.clock.monotonicMs();
    this.#metrics = makeFleetMetrics({
      tenants: parts.settings.metricTenants,
      models: parts.settings.metricModels,
    });
  }

  /** No worker takes requests any more once the end has begun, whatever the last look said. */
  readiness(): Readiness {
    const { status, checks } = this.#watch?.current() ?? { status: 'fail', checks: {} };
    if (!this.#ending) return { status, checks };
    return { status: 'fail', checks: { ...checks, workers: { status: 'fail', ms: 0 } } };
  }

  async renderMetrics(): Promise<string> {
    const shards = this.#duties?.shards.state() ?? [];
    const texts = [this.#metrics.render(), this.#counts.render(shards)];
    return (await Promise.all(texts)).join('');
  }

  async run(redis: Redis, shared: SharedWriter, shards: number): Promise<PrimaryExit> {
    const { settings, clock, log, stop } = this.#parts;
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
      counts: this.#counts,
      announceModels: () => this.#supervisor?.tell({ type: 'models' }),
      announceChange: () => this.#supervisor?.tell({ type: 'changed' }),
      onFatal: () => {
        this.#finish(PRIMARY_EXIT.crashed);
      },
    }));
    await Promise.race([duties.trust.firstSnapshot, this.#end.promise]);

    this.#supervisor = this.#supervise(shared.path, shards);
    this.#watch = this.#watchAll(redis, duties);
    if (!this.#ending) this.#supervisor.start();
    const exit = await this.#end.promise;

    log.info({ event: 'stopping' }, 'stopping');
    this.#supervisor.tell({ type: 'readiness', ready: false });
    const graceMs = exit === PRIMARY_EXIT.stopped ? settings.drainSeconds * 1_000 : 0;
    await Promise.all([this.#watch.stop(), this.#supervisor.stop(graceMs)]);
    await duties.stop();
    const uptimeMs = clock.monotonicMs() - this.#startedAtMs;
    log.info({ event: 'stopped', uptime_s: Math.round(uptimeMs / 1_000) }, 'stopped');
    return exit;
  }

  /** The first reason to end is the one that counts. */
  #finish(exit: PrimaryExit): void {
    this.#ending = true;
    this.#end.resolve(exit);
  }

  #supervise(sharedPath: string, shards: number): Supervisor {
    const { settings, clock, log, workerEntry, workerEnvironment } = this.#parts;
    return new Supervisor({
      entry: workerEntry,
      workers: settings.workers,
      clock,
      log,
      environment: workerEnvironment,
      greet: ({ incarnation }) => ({ type: 'start', sharedPath, shards, incarnation }),
      onMessage: (child, message) => {
        this.#hear(child, message);
      },
      onExit: (child) => {
        this.#listening.delete(child);
        void this.#metrics.retire(child.incarnation);
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
        return;
      }
      case 'metrics':
        this.#metrics.take(child.incarnation, message.snapshot);
        return;
      case 'admitting':
        this.#duties?.noteAdmitting();
        return;
      case 'fills':
        this.#duties?.shards.wake(message.shard);
        return;
      case 'failed':
        log.fatal(
          { event: 'worker_failed', worker_pid: pid, reason: message.reason },
          message.reason,
        );
        this.#finish(PRIMARY_EXIT.failed);
    }
  }

  #watchAll(redis: Redis, duties: Duties): ReadinessWatch {
    const { clock, log, settings } = this.#parts;
    return watchReadiness({
      probes: makeProbes({
        redis,
        duties,
        clock,
        upstreams: settings.ollamaUrls,
        maxAgeMs: settings.discoveryMaxAgeSeconds * 1_000,
        countWorkers: () => this.#listening.size,
      }),
      clock,
      everyMs: CHECK_EVERY_MS,
      timeoutMs: CHECK_TIMEOUT_MS,
      onChange: (ready) => {
        log.info({ event: ready ? 'ready' : 'not_ready' }, ready ? 'ready' : 'not ready');
        this.#supervisor?.tell({ type: 'readiness', ready });
      },
    });
  }
}

import cluster from 'node:cluster';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadSettings } from '../config/load-settings.ts';
import type { Settings } from '../config/settings.ts';
import { assemble } from '../gateway/assemble.ts';
import type { Gateway } from '../gateway/assemble.ts';
import { serve } from '../gateway/pipeline.ts';
import type { Stages } from '../gateway/stages.ts';
import type { Exchange } from '../http/exchange.ts';
import { makeServer } from '../http/server.ts';
import { SETTLE_TIMEOUT_MS } from '../ledger/ledger.ts';
import type { LeveledLogger, Logger } from '../log/logger.ts';
import { makeWorkerMetrics } from '../metrics/worker-metrics.ts';
import { makeFindKey } from '../revocation/find-key.ts';
import { makeRenewKey } from '../revocation/renew-key.ts';
import { openShared } from '../shared/shared-reader.ts';
import type { SharedReader } from '../shared/shared-reader.ts';
import { openRedis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';
import { makeAdmissionNotices } from './admission-notices.ts';
import { raiseExitCode } from './exit-code.ts';
import { isFromPrimary } from './messages.ts';
import type { FromPrimary } from './messages.ts';
import { killPrimary, watchPrimary } from './primary-watch.ts';
import type { PrimaryWatch } from './primary-watch.ts';
import { ignoreSignals, onUncaught } from './process-signals.ts';
import { tellPrimary } from './tell-primary.ts';
import { waitForRedis } from './wait-for-redis.ts';
import { refuseDraining, WorkerDrain } from './worker-drain.ts';
import { startReports } from './worker-reports.ts';
import type { WorkerReports } from './worker-reports.ts';
import { openWorkerPool } from './worker-pool.ts';
import { openWorkerThreads } from './worker-threads.ts';

export interface WorkerParts {
  readonly clock: Clock;
  readonly log: LeveledLogger;
  /** Entries of the thread pools. */
  readonly argon2Entry: URL;
  readonly bodiesEntry: URL;
}

type StartMessage = Extract<FromPrimary, { type: 'start' }>;
type LifeParts = Omit<WorkerParts, 'log'> & { readonly settings: Settings; readonly log: Logger };

interface DrainOrder {
  readonly graceMs: number;
  readonly replaced?: boolean;
}

const REDIS_WAIT_MS = 2_000;
/** At the latest: the primary says when there is something to see. */
const LOOK_EVERY_MS = 100;
/** With what a drain itself may take beyond its grace, within ORPHAN_MS. */
const FLUSH_MS = 2_500;
/** A worker without a primary is gone by then, whatever it still waits for (SPEC §10: 5 s). */
const ORPHAN_MS = 4_500;
/** EX_SOFTWARE: the primary replaces the worker. */
const CRASHED = 70;
/** Its primary is gone, or what some requests used is known to nobody any more. */
const FAILED = 1;

/** One HTTP worker: waits for the primary's first message, then serves until it is told to drain. */
export function runWorker(parts: WorkerParts): void {
  let life: WorkerLife | undefined;
  process.on('message', (message: unknown) => {
    if (!isFromPrimary(message)) return;
    if (message.type === 'start') life ??= startLife(parts, message);
    else life?.hear(message);
  });
  // Left to itself, Node ends a worker in the turn in which its primary goes: streams could not be
  // told and not be settled.
  if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
  // Without its primary nothing here can be trusted for longer than the lease.
  process.once('disconnect', () => {
    if (!life) process.exit(0);
    endSoon(life, FAILED);
  });
  onUncaught(parts.log, () => {
    if (!life) process.exit(CRASHED);
    endSoon(life, CRASHED);
  });
  // The terminal's Ctrl-C reaches every process of the group; the primary decides when to stop.
  ignoreSignals('SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1');
}

function startLife(parts: WorkerParts, start: StartMessage): WorkerLife {
  const { settings } = loadSettings(start.settings);
  parts.log.setLevel(settings.logLevel);
  return new WorkerLife({ ...parts, settings }, start);
}

/** With streams told and settled, and in any case. */
function endSoon(life: WorkerLife, exitCode: number): void {
  raiseExitCode(exitCode);
  setTimeout(() => process.exit(), ORPHAN_MS).unref();
  void life.drain({ graceMs: 0 });
}

class WorkerLife {
  readonly #parts: LifeParts;
  readonly #shared: SharedReader;
  readonly #gateway: Gateway;
  readonly #stages: Stages;
  readonly #server: Server;
  readonly #looks: NodeJS.Timeout;
  readonly #reports: WorkerReports;
  readonly #drain: WorkerDrain;
  readonly #primary: PrimaryWatch;
  #primarySaysReady: boolean;

  constructor(parts: LifeParts, start: StartMessage) {
    const { settings, clock, log } = parts;
    this.#parts = parts;
    this.#primarySaysReady = start.ready;
    this.#shared = openShared(start.sharedPath);
    const metrics = makeWorkerMetrics({
      tenants: settings.metricTenants,
      models: settings.metricModels,
    });
    const pool = openWorkerPool(settings);
    const redis = openRedis({
      url: settings.redisUrl,
      connectionName: 'nzgw-worker',
      commandTimeoutMs: SETTLE_TIMEOUT_MS,
    });
    this.#gateway = assemble({
      ...parts,
      metrics,
      shared: this.#shared,
      redis,
      postgres: pool,
      shards: start.shards,
      incarnation: start.incarnation,
      notices: makeAdmissionNotices(clock, tellPrimary),
      ...openWorkerThreads({ ...parts, argon2Queue: settings.argon2Queue }),
      findKey: makeFindKey(pool),
      renewKey: makeRenewKey(pool),
      isReady: () => this.#isReady(),
    });
    const { stages, running } = this.#gateway;
    this.#stages = stages;
    this.#server = makeServer({
      settings,
      clock,
      log,
      onExchange: (exchange) => this.#answer(exchange),
    });
    this.#drain = new WorkerDrain({
      server: this.#server,
      clock,
      cutAll: (reason) => {
        running.cutAll(reason);
      },
    });
    void waitForRedis(redis, REDIS_WAIT_MS).then(() => {
      if (!this.#drain.begun) this.#listen();
    });
    this.#looks = setInterval(() => {
      this.#gateway.lookAtRunning();
    }, LOOK_EVERY_MS);
    this.#reports = startReports({ metrics, readLevels: () => this.#gateway.readLevels() });
    this.#primary = this.#watchPrimary(start.primaryPid);
  }

  hear(message: Exclude<FromPrimary, { type: 'start' }>): void {
    this.#primary.hear();
    switch (message.type) {
      case 'alive':
        return;
      case 'models':
        this.#gateway.readModels();
        return;
      case 'changed':
        this.#gateway.lookAtRunning();
        return;
      case 'readiness':
        this.#primarySaysReady = message.ready;
        return;
      case 'drain':
        void this.drain(message);
    }
  }

  /** Stops accepting, lets streams end, cuts those that do not, leaves nothing unsettled, exits. */
  async drain({ graceMs, replaced = false }: DrainOrder): Promise<void> {
    const first = !this.#drain.begun;
    await this.#drain.run(graceMs, { replaced });
    if (!first) return;
    this.#primary.stop();
    clearInterval(this.#looks);
    const left = await this.#gateway.close(FLUSH_MS);
    if (left > 0) {
      raiseExitCode(FAILED);
      this.#parts.log.error({ event: 'entries_lost', left }, 'Redis did not take all');
    }
    await this.#reports.stop();
    process.exit();
  }

  /** To a service manager a primary that hangs still runs: so it is ended, and all with it. */
  #watchPrimary(pid: number): PrimaryWatch {
    const { settings, clock, log } = this.#parts;
    return watchPrimary({
      clock,
      silenceMs: settings.primarySilenceSeconds * 1_000,
      onSilent: () => {
        log.fatal({ event: 'primary_silent', primary_pid: pid }, 'the primary hangs');
        killPrimary(pid);
        endSoon(this, FAILED);
      },
    });
  }

  #answer(exchange: Exchange): Promise<void> {
    if (!this.#drain.refuses)
      return this.#drain.follow(exchange, () => serve(this.#stages, exchange));
    this.#stages.refuse(exchange, refuseDraining());
    return Promise.resolve();
  }

  #listen(): void {
    const { host, port } = this.#parts.settings;
    this.#server.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'unknown error';
      tellPrimary({ type: 'failed', reason: `cannot listen on ${host}:${port} (${code})` });
    });
    this.#server.listen(port, host, () => {
      const address = this.#server.address() as AddressInfo;
      tellPrimary({ type: 'listening', host: address.address, port: address.port });
    });
  }

  /** The primary's word counts only while its trust lease runs: a stopped primary says nothing. */
  #isReady(): boolean {
    if (this.#drain.refuses || !this.#primarySaysReady) return false;
    this.#shared.refresh();
    const trust = this.#shared.readTrust();
    return trust !== undefined && this.#parts.clock.monotonicMs() < trust.deadlineMs;
  }
}

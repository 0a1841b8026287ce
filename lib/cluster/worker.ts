import cluster from 'node:cluster';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Settings } from '../config/settings.ts';
import { assemble } from '../gateway/assemble.ts';
import type { Gateway } from '../gateway/assemble.ts';
import { serve } from '../gateway/pipeline.ts';
import type { Stages } from '../gateway/stages.ts';
import type { Exchange } from '../http/exchange.ts';
import { makeServer } from '../http/server.ts';
import { SETTLE_TIMEOUT_MS } from '../ledger/ledger.ts';
import type { Logger } from '../log/logger.ts';
import { makeWorkerMetrics } from '../metrics/worker-metrics.ts';
import type { WorkerMetrics } from '../metrics/worker-metrics.ts';
import { makeFindKey } from '../revocation/find-key.ts';
import { makeRenewKey } from '../revocation/renew-key.ts';
import { openShared } from '../shared/shared-reader.ts';
import type { SharedReader } from '../shared/shared-reader.ts';
import { openPool } from '../store/postgres.ts';
import { openRedis } from '../store/redis.ts';
import { openThreadPool } from '../threads/thread-pool.ts';
import type { Clock } from '../time/clock.ts';
import { makeAdmissionNotices } from './admission-notices.ts';
import { isFromPrimary } from './messages.ts';
import type { FromPrimary, FromWorker } from './messages.ts';
import { WORKER_POSTGRES_CONNECTIONS } from './prepare.ts';
import { ignoreSignals, onUncaught } from './process-signals.ts';
import { waitForRedis } from './wait-for-redis.ts';
import { refuseDraining, WorkerDrain } from './worker-drain.ts';

export interface WorkerParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Logger;
  /** Entries of the thread pools. */
  readonly argon2Entry: URL;
  readonly bodiesEntry: URL;
}

const POSTGRES_TIMEOUT_MS = 2_000;
const REDIS_WAIT_MS = 2_000;
const BODIES_QUEUE = 64;
const METRICS_EVERY_MS = 1_000;
/** At the latest: the primary says when there is something to see. */
const LOOK_EVERY_MS = 100;
/** With what a drain itself may take beyond its grace, within ORPHAN_MS. */
const FLUSH_MS = 2_500;
/** A worker without a primary is gone by then, whatever it still waits for (SPEC §10: 5 s). */
const ORPHAN_MS = 4_500;
/** Threads never take the processor from the streams. */
const THREAD_NICE = 10;
/** EX_SOFTWARE: the primary replaces the worker. */
const CRASHED = 70;

/** One HTTP worker: waits for the primary's first message, then serves until it is told to drain. */
export function runWorker(parts: WorkerParts): void {
  let life: WorkerLife | undefined;
  process.on('message', (message: unknown) => {
    if (!isFromPrimary(message)) return;
    if (message.type === 'start') life ??= new WorkerLife(parts, message);
    else life?.hear(message);
  });
  // Left to itself, Node ends a worker in the turn in which its primary goes: streams could not be
  // told and not be settled.
  if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
  // Without its primary nothing here can be trusted for longer than the lease.
  process.once('disconnect', () => {
    if (!life) process.exit(0);
    setTimeout(() => process.exit(1), ORPHAN_MS).unref();
    void life.drain(0);
  });
  onUncaught(parts.log, () => {
    if (!life) process.exit(CRASHED);
    setTimeout(() => process.exit(CRASHED), ORPHAN_MS).unref();
    void life.drain(0, CRASHED);
  });
  // The terminal's Ctrl-C reaches every process of the group; the primary decides when to stop.
  ignoreSignals('SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1');
}

class WorkerLife {
  readonly #parts: WorkerParts;
  readonly #shared: SharedReader;
  readonly #metrics: WorkerMetrics;
  readonly #gateway: Gateway;
  readonly #stages: Stages;
  readonly #server: Server;
  readonly #looks: NodeJS.Timeout;
  readonly #reports: NodeJS.Timeout;
  readonly #drain: WorkerDrain;
  #primarySaysReady = false;

  constructor(parts: WorkerParts, start: Extract<FromPrimary, { type: 'start' }>) {
    const { settings, clock, log } = parts;
    this.#parts = parts;
    this.#shared = openShared(start.sharedPath);
    this.#metrics = makeWorkerMetrics({
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
      metrics: this.#metrics,
      shared: this.#shared,
      redis,
      shards: start.shards,
      incarnation: start.incarnation,
      notices: makeAdmissionNotices(clock, tell),
      argon2Threads: openThreadPool({
        entry: parts.argon2Entry,
        maxQueue: settings.argon2Queue,
        niceIncrement: THREAD_NICE,
      }),
      bodyThreads: openThreadPool({
        entry: parts.bodiesEntry,
        maxQueue: BODIES_QUEUE,
        niceIncrement: THREAD_NICE,
      }),
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
    this.#reports = setInterval(() => void this.#report(), METRICS_EVERY_MS);
  }

  hear(message: Exclude<FromPrimary, { type: 'start' }>): void {
    switch (message.type) {
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
        void this.drain(message.graceMs);
    }
  }

  /** Stops accepting, lets streams end, cuts those that do not, leaves nothing unsettled, exits. */
  async drain(graceMs: number, exitCode = 0): Promise<void> {
    const first = !this.#drain.begun;
    await this.#drain.run(graceMs);
    if (!first) return;
    clearInterval(this.#looks);
    clearInterval(this.#reports);
    const left = await this.#gateway.close(FLUSH_MS);
    if (left > 0) this.#parts.log.error({ event: 'entries_lost', left }, 'Redis did not take all');
    await this.#report();
    process.exit(exitCode);
  }

  #answer(exchange: Exchange): Promise<void> {
    if (!this.#drain.begun) return this.#drain.follow(exchange, serve(this.#stages, exchange));
    this.#stages.refuse(exchange, refuseDraining());
    return Promise.resolve();
  }

  #listen(): void {
    const { host, port } = this.#parts.settings;
    this.#server.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'unknown error';
      tell({ type: 'failed', reason: `cannot listen on ${host}:${port} (${code})` });
    });
    this.#server.listen(port, host, () => {
      const address = this.#server.address() as AddressInfo;
      tell({ type: 'listening', host: address.address, port: address.port });
    });
  }

  /** The primary's word counts only while its trust lease runs: a stopped primary says nothing. */
  #isReady(): boolean {
    if (this.#drain.begun || !this.#primarySaysReady) return false;
    this.#shared.refresh();
    const trust = this.#shared.readTrust();
    return trust !== undefined && this.#parts.clock.monotonicMs() < trust.deadlineMs;
  }

  async #report(): Promise<void> {
    tell({ type: 'metrics', snapshot: await this.#metrics.snapshot() });
  }
}

function openWorkerPool(settings: Settings): ReturnType<typeof openPool> {
  return openPool({
    url: settings.databaseUrl,
    applicationName: 'nzgw worker',
    maxConnections: WORKER_POSTGRES_CONNECTIONS,
    timeoutMs: POSTGRES_TIMEOUT_MS,
  });
}

/** The primary may be gone; then there is nobody to tell. */
function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
}

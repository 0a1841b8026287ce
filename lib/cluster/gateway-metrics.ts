import type { Settings } from '../config/settings.ts';
import type { Readiness } from '../health/readiness.ts';
import { watchBudgets } from '../inspection/watch-budgets.ts';
import type { BudgetWatch } from '../inspection/watch-budgets.ts';
import type { Logger } from '../log/logger.ts';
import { makeTroubleLines } from '../log/trouble-lines.ts';
import { FleetMetrics } from '../metrics/fleet-metrics.ts';
import type { PrimaryLevels } from '../metrics/primary-levels.ts';
import { makePrimaryMetrics } from '../metrics/primary-metrics.ts';
import { makeProcessMetrics } from '../metrics/process-metrics.ts';
import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';
import { openDutyClient } from './duty-client.ts';
import { readPrimaryLevels } from './read-levels.ts';
import type { ToldDuties } from './read-levels.ts';

export interface GatewayMetricsParts {
  readonly settings: Settings;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly readReadiness: () => Readiness;
  readonly countWorkers: () => number;
}

/** What the duties know, once they run. */
export interface WatchedDuties {
  readonly duties: ToldDuties;
  readonly redis: Redis;
  readonly shards: number;
}

const BUDGET_WORDS = {
  lostEvent: 'budgets_unseen',
  lost: 'budgets cannot be looked at: their metrics and alerts are old, and soon gone',
  backEvent: 'budgets_seen',
  back: 'budgets are looked at again',
};
const OWN_EVERY_MS = 1_000;
const BUDGETS_EVERY_MS = 30_000;
/** The incarnations of workers are UUIDs. */
const OWN_NAME = 'primary';

/** All metrics of a host's gateway: what the workers told, what the primary counts, what stands now. */
export class GatewayMetrics {
  readonly fleet: FleetMetrics;
  readonly counts = makePrimaryMetrics();
  readonly #parts: GatewayMetricsParts;
  readonly #own = makeProcessMetrics('primary');
  readonly #ownReports: NodeJS.Timeout;
  #duties: ToldDuties | undefined;
  #budgets: BudgetWatch | undefined;

  constructor(parts: GatewayMetricsParts) {
    const { metricTenants: tenants, metricModels: models } = parts.settings;
    this.#parts = parts;
    this.fleet = new FleetMetrics({ tenants, models });
    this.#ownReports = setInterval(() => {
      this.fleet.take(OWN_NAME, this.#own.take());
    }, OWN_EVERY_MS).unref();
  }

  /** The duties run: what they know is told from now on. */
  begin(watched: WatchedDuties): void {
    const { settings, clock, log } = this.#parts;
    const { duties, redis, shards } = watched;
    this.#duties = duties;
    const trouble = makeTroubleLines(clock, log, BUDGET_WORDS);
    this.#budgets = watchBudgets({
      makeClient: () => openDutyClient(settings, 'nzgw budgets'),
      redis,
      shards,
      readOwned: () => {
        const owned = duties.shards.state().filter(({ owner }) => owner);
        return new Set(owned.map(({ shard }) => shard));
      },
      clock,
      everyMs: BUDGETS_EVERY_MS,
      mostTenants: settings.metricTenants,
      onLook: trouble.works,
      onTrouble: trouble.failed,
    });
  }

  /** Prometheus text, in parts. */
  async *render(): AsyncGenerator<string, void> {
    yield await this.counts.render(this.#readLevels());
    yield* this.fleet.render();
  }

  async stop(): Promise<void> {
    clearInterval(this.#ownReports);
    this.#own.stop();
    await this.#budgets?.stop();
  }

  #readLevels(): PrimaryLevels {
    const { settings, version, clock } = this.#parts;
    return readPrimaryLevels({
      ...{ version, clock, trustLeaseMs: settings.trustLeaseMs },
      workers: this.#parts.countWorkers(),
      readiness: this.#parts.readReadiness(),
      duties: this.#duties,
      budgets: this.#budgets?.current() ?? [],
    });
  }
}

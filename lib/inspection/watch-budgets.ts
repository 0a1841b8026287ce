import type { BudgetLevel } from '../metrics/primary-levels.ts';
import { LabelSet } from '../metrics/label-set.ts';
import type { PostgresClient } from '../store/postgres.ts';
import type { Redis } from '../store/redis.ts';
import { withClient } from '../store/with-client.ts';
import type { Clock } from '../time/clock.ts';
import { inTime } from '../time/in-time.ts';
import { makePause } from '../time/pause.ts';
import { readBudgetUse } from './budget-use.ts';
import type { BudgetUse, BudgetUseParts } from './budget-use.ts';

export interface BudgetWatchParts extends Pick<BudgetUseParts, 'shards'> {
  /** A new client, not connected yet. */
  readonly makeClient: () => PostgresClient;
  readonly redis: Redis;
  readonly readOwned: () => ReadonlySet<number>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly everyMs: number;
  /** Tenants with a label of their own. */
  readonly mostTenants: number;
  /** A look succeeded. */
  readonly onLook?: () => void;
  /** A look failed; the next one is at its time. */
  readonly onTrouble: (error: unknown) => void;
}

export interface BudgetWatch {
  /** As the last look found it; nothing once that is too old to be true. */
  current(): readonly BudgetLevel[];
  /** Ends after the query under way, but waits for it only a moment. */
  stop(): Promise<void>;
}

/** So many looks may fail before nothing is told any more. */
const LOOKS_BELIEVED = 4;
const CLOSE_MS = 500;
/** A shard may become this gateway's at any time. */
const OWNED_MS = 1_000;

/**
 * Looks now and then how far budgets are used (SPEC §12), away from every request and from the
 * connections that trust and accounts depend on. The oldest tenants have a label each, for good; of
 * the rest the one that has used most is told as `other`.
 */
export function watchBudgets(parts: BudgetWatchParts): BudgetWatch {
  const { clock, everyMs } = parts;
  const labels = new LabelSet(parts.mostTenants);
  const pause = makePause();
  let stopped = false;
  let levels: readonly BudgetLevel[] = [];
  let lookedAtMs = -Infinity;
  const isStopped = () => stopped;

  async function look(owned: ReadonlySet<number>): Promise<void> {
    const uses = await withClient(parts.makeClient, (queries) =>
      readBudgetUse({ ...parts, owned, queries }),
    );
    levels = toLevels(uses, labels);
    lookedAtMs = clock.monotonicMs();
  }

  async function run(): Promise<void> {
    while (!stopped) {
      const owned = parts.readOwned();
      if (owned.size > 0) await look(owned).then(parts.onLook, parts.onTrouble);
      else levels = [];
      if (!isStopped()) await pause.wait(owned.size > 0 ? everyMs : Math.min(everyMs, OWNED_MS));
    }
  }

  const done = run();
  return {
    current: () => (clock.monotonicMs() - lookedAtMs > LOOKS_BELIEVED * everyMs ? [] : levels),
    stop: () => {
      stopped = true;
      pause.wake();
      return inTime(CLOSE_MS, done, () => undefined);
    },
  };
}

/** Of those that share a label and a period the one that has spent most. */
export function toLevels(
  uses: readonly BudgetUse[],
  labels: Pick<LabelSet, 'name'>,
): readonly BudgetLevel[] {
  const levels = new Map<string, BudgetLevel>();
  for (const use of uses) {
    const level = { ...use, tenant: labels.name(use.tenant) };
    const key = `${level.tenant} ${level.period}`;
    const known = levels.get(key);
    if (known === undefined || known.spentRatio < level.spentRatio) levels.set(key, level);
  }
  return [...levels.values()];
}

import { makeAdmit } from '../admission/admit.ts';
import type { Admit } from '../admission/admit.ts';
import { makeLimiterPause } from '../admission/limiter-pause.ts';
import { makeAudit } from '../audit/audit.ts';
import { makeDropNotice } from '../audit/drop-notice.ts';
import { makeRefusalRing } from '../audit/refusal-ring.ts';
import type { Settings } from '../config/settings.ts';
import type { Entry } from '../ledger/entry.ts';
import { openLedger } from '../ledger/ledger.ts';
import type { Logger } from '../log/logger.ts';
import type { WorkerMetrics } from '../metrics/worker-metrics.ts';
import { makeSettlementRing } from '../settlement/ring.ts';
import { makeSettle } from '../settlement/settle.ts';
import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';

export interface BookkeepingParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly redis: Redis;
  readonly shards: number;
  readonly metrics: Pick<WorkerMetrics, 'countDroppedRefusal'>;
  readonly cutAddress: (address: string) => string | null;
}

export interface Bookkeeping {
  readonly admit: Admit;
  readonly settle: ReturnType<typeof makeSettle>;
  readonly audit: ReturnType<typeof makeAudit>;
  /** Waits until Redis has everything, at most so long; resolves with how many entries are left. */
  flush(withinMs: number): Promise<number>;
}

/** Steps 4, 7 and 8 with their real parts: one ledger, and the two rings before it. */
export function makeBookkeeping(parts: BookkeepingParts): Bookkeeping {
  const { settings, clock, log, cutAddress } = parts;
  const ledger = openLedger(parts.redis, { shards: parts.shards, clock });
  const send = (entry: Entry): Promise<void> => ledger.settle(entry);
  const settlements = makeSettlementRing({ send }, settings.settlementRing);
  const noteDropped = makeDropNotice(clock, log);
  const refusals = makeRefusalRing(
    {
      send,
      onDropped: () => {
        parts.metrics.countDroppedRefusal();
        noteDropped();
      },
    },
    settings.refusalRing,
  );

  return {
    admit: makeAdmit({
      ledger,
      pause: makeLimiterPause(() => clock.monotonicMs()),
      isDenying: () => settlements.isDenying(),
      admitTimeoutMs: settings.admitTimeoutMs,
      auditStreamMax: settings.auditStreamMax,
      defaultMaxTokens: settings.defaultMaxTokens,
    }),
    settle: makeSettle({ ring: settlements, clock, cutAddress, log }),
    audit: makeAudit({ ring: refusals, ledger, clock, cutAddress, log }),
    async flush(withinMs) {
      const left = await Promise.all([settlements.flush(withinMs), refusals.flush(withinMs)]);
      settlements.close();
      refusals.close();
      return left[0] + left[1];
    },
  };
}

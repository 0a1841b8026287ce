import { makeAdmit } from '../admission/admit.ts';
import type { Admit, AdmitParts } from '../admission/admit.ts';
import { makeLimiterPause } from '../admission/limiter-pause.ts';
import { makeAudit } from '../audit/audit.ts';
import { makeDropNotice } from '../audit/drop-notice.ts';
import { makeRefusalRing } from '../audit/refusal-ring.ts';
import type { RefusalRing } from '../audit/refusal-ring.ts';
import type { Principal } from '../auth/principal.ts';
import type { Settings } from '../config/settings.ts';
import type { Entry } from '../ledger/entry.ts';
import { openLedger } from '../ledger/ledger.ts';
import type { Logger } from '../log/logger.ts';
import type { Reading } from '../metrics/cells.ts';
import type { WorkerMetrics } from '../metrics/worker-metrics.ts';
import { makeSettle } from '../settlement/settle.ts';
import { openSettlements } from '../settlement/settlements.ts';
import type { Settlements } from '../settlement/settlements.ts';
import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';
import { describeKey } from './describe-key.ts';
import type { AdmittedFacts } from './stages.ts';

/** What a worker says to its primary about its admissions. */
export interface AdmissionNotices {
  /** An admission is about to be asked for. */
  asking(): void;
  /** A counter of that shard is to be filled. */
  fills(shard: number): void;
}

export interface BookkeepingParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly redis: Redis;
  readonly shards: number;
  /** Of this worker's life; never used twice. */
  readonly incarnation: string;
  readonly notices: AdmissionNotices;
  readonly metrics: Pick<WorkerMetrics, 'countDroppedRefusal' | 'timeScript'>;
  readonly chooseNumCtx: AdmitParts['chooseNumCtx'];
  readonly cutAddress: (address: string) => string | null;
}

export interface Bookkeeping {
  readonly admit: Admit;
  /** What was admitted is held until it is settled, wherever it ends. */
  follow(facts: Pick<AdmittedFacts, 'lease' | 'call' | 'tally'>): void;
  readonly settle: ReturnType<typeof makeSettle>;
  readonly audit: ReturnType<typeof makeAudit>;
  /** The caller's own limits. @throws GatewayError limiter_unavailable */
  readonly describeKey: (principal: Principal) => Promise<object>;
  /** How full the rings are. */
  readonly readLevels: () => readonly Reading[];
  /** Waits until Redis has everything, at most so long; resolves with how many entries are left. */
  flush(withinMs: number): Promise<number>;
}

/** Steps 4, 7 and 8 with their real parts: one ledger, and the two rings before it. */
export function makeBookkeeping(parts: BookkeepingParts): Bookkeeping {
  const { settings, clock, log, redis, cutAddress, notices } = parts;
  const leaseMs = settings.leaseSeconds * 1_000;
  const dropRefusal = makeDropRefusal(parts);
  // Refusals cost nothing and have no limit: half of the stream is kept from them, for admissions.
  const notes = { mostWaiting: Math.floor(settings.auditStreamMax / 2), onFull: dropRefusal };
  const ledger = openLedger(redis, {
    ...parts,
    leaseMs,
    notes,
    onScript: (script, ms) => {
      parts.metrics.timeScript(script, ms);
    },
  });
  const settlements = openSettlements({
    ledger,
    redis,
    clock,
    capacity: settings.settlementRing,
    renewEveryMs: settings.leaseRenewSeconds * 1_000,
  });
  const send = (entry: Entry): Promise<void> => ledger.note(entry);
  const refusals = makeRefusalRing({ send, onDropped: dropRefusal }, settings.refusalRing);
  const onFill = (shard: number): void => {
    notices.fills(shard);
  };
  const peeking = { ledger, clock, timeoutMs: settings.admitTimeoutMs, onFill };

  return {
    admit: makeAdmit({
      ledger,
      clock,
      pause: makeLimiterPause(() => clock.monotonicMs()),
      isDenying: () => settlements.isDenying(),
      cancel: (cancellation) => {
        settlements.cancel(cancellation);
      },
      onAsk: () => {
        notices.asking();
      },
      onFill,
      chooseNumCtx: parts.chooseNumCtx,
      cutAddress,
      rules: { ...settings, baseTokens: settings.promptBaseTokens },
    }),
    follow: ({ lease, call, tally }) => {
      settlements.follow(lease, call, tally);
    },
    settle: makeSettle({ settlements, clock, cutAddress, log }),
    audit: makeAudit({ ring: refusals, ledger, clock, cutAddress, log }),
    describeKey: (principal) => describeKey(peeking, principal),
    readLevels: () => readRings(settings, settlements, refusals),
    async flush(withinMs) {
      const left = await Promise.all([settlements.flush(withinMs), refusals.flush(withinMs)]);
      settlements.close();
      refusals.close();
      return left[0] + left[1];
    },
  };
}

/** Counts a refusal that is not kept, and says so. */
function makeDropRefusal({ clock, log, metrics }: BookkeepingParts): () => void {
  const noteDropped = makeDropNotice(clock, log);
  return () => {
    metrics.countDroppedRefusal();
    noteDropped();
  };
}

function readRings(
  { settlementRing, refusalRing }: Settings,
  { length, keptCount }: Settlements,
  refusals: RefusalRing,
): readonly Reading[] {
  return [
    ['gateway_settlement_ring_entries', ['waiting'], [length]],
    ['gateway_settlement_ring_entries', ['kept'], [keptCount]],
    ['gateway_settlement_ring_fill_ratio', [], [length / settlementRing]],
    ['gateway_refusal_ring_fill_ratio', [], [refusals.length / refusalRing]],
  ];
}

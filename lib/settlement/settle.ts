import type { Exchange } from '../http/exchange.ts';
import { describeError } from '../log/logger.ts';
import type { Logger } from '../log/logger.ts';
import type { Clock } from '../time/clock.ts';
import type { SettlementRing } from './ring.ts';
import { toEntry } from './to-entry.ts';
import type { EntryContext, SettledFacts } from './to-entry.ts';

export interface SettleParts {
  readonly ring: Pick<SettlementRing, 'push'>;
  readonly clock: Clock;
  readonly cutAddress: EntryContext['cutAddress'];
  readonly log: Logger;
}

/** Step 7: what an admitted request used goes on its way to Redis. Nobody waits for it; never throws. */
export type Settle = (exchange: Exchange, facts: SettledFacts) => void;

export function makeSettle(parts: SettleParts): Settle {
  return (exchange, facts) => {
    try {
      const context = { endedAtMs: parts.clock.monotonicMs(), cutAddress: parts.cutAddress };
      parts.ring.push(toEntry(exchange, facts, context));
    } catch (error) {
      parts.log.error(
        { request_id: exchange.admissionId, ...describeError(error) },
        'a settlement could not be made',
      );
    }
  };
}

import type { Exchange } from '../http/exchange.ts';
import type { Entry } from '../ledger/entry.ts';
import { describeError } from '../log/logger.ts';
import type { Logger } from '../log/logger.ts';
import type { Clock } from '../time/clock.ts';
import type { Settlements } from './settlements.ts';
import { toEntry } from './to-entry.ts';
import type { EntryContext, SettledFacts } from './to-entry.ts';

export interface SettleParts {
  readonly settlements: Pick<Settlements, 'settle' | 'abandon'>;
  readonly clock: Clock;
  readonly cutAddress: EntryContext['cutAddress'];
  readonly log: Logger;
}

/**
 * Step 7: what an admitted request used goes on its way to Redis. Nobody waits for it; never throws.
 * Gives what is kept of the request.
 */
export type Settle = (exchange: Exchange, facts: SettledFacts) => Entry | undefined;

export function makeSettle(parts: SettleParts): Settle {
  return (exchange, facts) => {
    try {
      const context = { endedAtMs: parts.clock.monotonicMs(), cutAddress: parts.cutAddress };
      const entry = toEntry(exchange, facts, context);
      parts.settlements.settle(entry);
      return entry;
    } catch (error) {
      parts.settlements.abandon(facts.lease);
      parts.log.error(
        { request_id: exchange.admissionId, ...describeError(error) },
        'a settlement could not be made',
      );
      return undefined;
    }
  };
}

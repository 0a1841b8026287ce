import type { Exchange } from '../http/exchange.ts';
import type { Entry } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { describeError } from '../log/logger.ts';
import type { Logger } from '../log/logger.ts';
import type { Clock } from '../time/clock.ts';
import { toRefusalEntry } from './refusal-entry.ts';
import type { RefusalContext, RefusedFacts } from './refusal-entry.ts';
import type { RefusalRing } from './refusal-ring.ts';

export interface AuditParts {
  readonly ring: Pick<RefusalRing, 'push'>;
  readonly ledger: Pick<Ledger, 'estimateTimeMs'>;
  readonly clock: Clock;
  readonly cutAddress: RefusalContext['cutAddress'];
  readonly log: Logger;
}

/** Step 8: keeps the refusal of a proved key, and gives what is kept. Nobody waits; never throws. */
export type Audit = (
  exchange: Exchange,
  facts: Partial<Pick<RefusedFacts, 'principal' | 'refusal'>> &
    Omit<RefusedFacts, 'principal' | 'refusal'>,
) => Entry | undefined;

export function makeAudit(parts: AuditParts): Audit {
  return (exchange, { principal, refusal, ...rest }) => {
    if (principal === undefined || refusal === undefined) return undefined;
    try {
      const { tenantId } = principal.tenant;
      const context = {
        admittedAtMs: Math.floor(parts.ledger.estimateTimeMs(tenantId) ?? parts.clock.wallMs()),
        endedAtMs: parts.clock.monotonicMs(),
        cutAddress: parts.cutAddress,
      };
      const entry = toRefusalEntry(exchange, { ...rest, principal, refusal }, context);
      parts.ring.push(entry);
      return entry;
    } catch (error) {
      parts.log.error(
        { request_id: exchange.admissionId, ...describeError(error) },
        'the entry of a refusal could not be made',
      );
      return undefined;
    }
  };
}

import type { Grant } from '../access/grant.ts';
import type { Lease } from '../admission/lease.ts';
import type { Principal } from '../auth/principal.ts';
import type { GatewayError } from '../errors/gateway-error.ts';
import { CLIENT_LEFT_STATUS } from '../errors/client-left.ts';
import type { RefusalCode } from '../errors/refusals.ts';
import type { Call } from '../http/call.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Entry } from '../ledger/entry.ts';
import type { Tally } from '../upstream/tally.ts';
import { charge } from './charge.ts';

/** What is known of an admitted request when its connection has closed. */
export interface SettledFacts {
  readonly principal: Principal;
  readonly call: Call;
  readonly grant: Grant;
  readonly lease: Lease;
  readonly tally: Tally;
  readonly refusal?: GatewayError;
}

export interface EntryContext {
  /** Monotonic milliseconds of the close. */
  readonly endedAtMs: number;
  /** Cuts an address to what may be kept. */
  readonly cutAddress: (address: string) => string | null;
}

const UPSTREAM_FAULTS: readonly RefusalCode[] = ['upstream_error', 'upstream_timeout'];

/** The audit entry of an admitted request: facts in, row out. Pure. */
export function toEntry(exchange: Exchange, facts: SettledFacts, context: EntryContext): Entry {
  const { principal, call, grant, lease, tally } = facts;
  return {
    id: lease.admissionId,
    admittedAtMs: lease.admittedAtMs,
    tenantId: principal.tenant.tenantId,
    keyId: principal.key.keyId,
    clientAddress: context.cutAddress(exchange.clientAddress),
    clientRequestId: exchange.clientRequestId,
    dialect: exchange.dialect,
    endpoint: call.route,
    model: grant.model.name,
    status: exchange.response.headersSent ? exchange.response.statusCode : CLIENT_LEFT_STATUS,
    ...readOutcome(exchange, facts),
    ...charge(call, lease, tally),
    firstTokenMs:
      tally.firstByteAtMs === null ? null : toWholeMs(tally.firstByteAtMs - exchange.startedAtMs),
    durationMs: toWholeMs(context.endedAtMs - exchange.startedAtMs),
    bytesOut: tally.bytesOut,
    streamed: call.streamed,
  };
}

/**
 * A revocation that ended it. Else the forwarder's and the relay's word, where they had one. Else: the
 * client left; or it was refused after admission: as the upstream's failure once it had the request (a
 * cut of ours is then charged like one) or would not take it, and as a refusal of ours before; for want
 * of room it is one even after that.
 */
function readOutcome(
  exchange: Exchange,
  { tally, refusal }: SettledFacts,
): Pick<Entry, 'outcome' | 'refusalCode'> {
  if (tally.cutFor === 'revoked') return { outcome: 'revoked', refusalCode: null };
  if (tally.outcome !== null) return { outcome: tally.outcome, refusalCode: null };
  // The connection of one that was cut before it went anywhere may have been closed by us, too.
  if (tally.cutFor !== null && !tally.written) {
    return { outcome: 'refused', refusalCode: tally.cutFor };
  }
  if (exchange.gone.aborted) return { outcome: 'client_gone', refusalCode: null };
  if (refusal === undefined) return { outcome: 'ok', refusalCode: null };
  const cut = tally.written && refusal.code !== 'overloaded';
  return cut || UPSTREAM_FAULTS.includes(refusal.code)
    ? { outcome: 'upstream_error', refusalCode: null }
    : { outcome: 'refused', refusalCode: refusal.code };
}

function toWholeMs(ms: number): number {
  return Math.max(0, Math.round(ms));
}

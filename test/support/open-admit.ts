import { makeAdmit } from '../../lib/admission/admit.ts';
import type { Admit, AdmitParts } from '../../lib/admission/admit.ts';
import { makeLimiterPause } from '../../lib/admission/limiter-pause.ts';
import type { Principal } from '../../lib/auth/principal.ts';
import { GatewayError } from '../../lib/errors/gateway-error.ts';
import type { Call } from '../../lib/http/call.ts';
import { openLedger } from '../../lib/ledger/ledger.ts';
import type { Ledger } from '../../lib/ledger/ledger.ts';
import type { Script } from '../../lib/ledger/scripts.ts';
import type { Redis } from '../../lib/store/redis.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { sampleCall, sampleExchange, samplePrincipal, SAMPLE_GRANT } from './sample-request.ts';

/** A ledger of one shard on a connection that a test has made. */
export function openTestLedger(redis: Redis, scripts?: readonly Script[]): Ledger {
  return openLedger(redis, {
    shards: 1,
    clock: systemClock,
    incarnation: 'a-worker',
    leaseMs: 30_000,
    ...(scripts && { scripts }),
  });
}

/** The step of admission with small numbers: no base in the prompt's bound, 10 tokens at least. */
export function openAdmit(
  ledger: AdmitParts['ledger'],
  changes: Partial<Omit<AdmitParts, 'rules'>> & {
    readonly timeoutMs?: number;
    readonly maxWaitingEntries?: number;
  } = {},
): Admit {
  const { timeoutMs = 1_000, maxWaitingEntries = 100, ...parts } = changes;
  return makeAdmit({
    ledger,
    clock: systemClock,
    pause: makeLimiterPause(() => systemClock.monotonicMs()),
    isDenying: () => false,
    cancel: () => undefined,
    onAsk: () => undefined,
    onFill: () => undefined,
    chooseNumCtx: () => null,
    cutAddress: () => '192.0.2.0/24',
    rules: {
      admitTimeoutMs: timeoutMs,
      auditStreamMax: maxWaitingEntries,
      defaultMaxTokens: 8_192,
      leastOutputTokens: 10,
      imageTokens: 4_096,
      baseTokens: 0,
    },
    ...parts,
  });
}

interface Question {
  readonly id?: string;
  readonly principal?: Principal;
  readonly call?: Call;
}

/** Asks for the sample request: ten bytes of text in two messages, 26 tokens at most. */
export function askAdmit(admit: Admit, question: Question = {}): ReturnType<Admit> {
  const { id, principal = samplePrincipal(), call = sampleCall() } = question;
  const exchange = sampleExchange(id === undefined ? {} : { admissionId: id });
  return admit(exchange, principal, call, SAMPLE_GRANT);
}

/** @throws Error where it is admitted */
export async function refusalOf(admit: Admit, question: Question = {}): Promise<GatewayError> {
  const outcome = await askAdmit(admit, question).catch((error: unknown) => error);
  if (outcome instanceof GatewayError) return outcome;
  throw outcome instanceof Error ? outcome : new Error('it was not refused');
}

/** Admission ids that differ in their number. */
export function makeId(number: number): string {
  return `01980000-0000-7000-8000-${String(number).padStart(12, '0')}`;
}

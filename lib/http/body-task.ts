import { GatewayError } from '../errors/gateway-error.ts';
import type { RefusalDetails } from '../errors/gateway-error.ts';
import type { RefusalCode } from '../errors/refusals.ts';
import type { RebuiltCall } from './call.ts';
import { rebuildCall } from './rebuild-call.ts';
import type { BodyForm } from './rebuild-call.ts';

/** What a thread of the `bodies` pool is given. Plain data: it crosses a thread border. */
export interface BodyTask {
  readonly form: BodyForm;
  /** In order; together they are the body. */
  readonly pieces: readonly Uint8Array[];
}

/** Errors lose their class on the way back, so a refusal travels as data. */
export type BodyOutcome =
  | { readonly call: RebuiltCall }
  | {
      readonly code: RefusalCode;
      readonly message: string;
      readonly details: RefusalDetails;
    };

/** The thread's half. Throws only what is a bug. */
export function runBodyTask({ form, pieces }: BodyTask): BodyOutcome {
  try {
    return { call: rebuildCall(form, joinPieces(pieces)) };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { code: error.code, message: error.message, details: error.details };
  }
}

/** The other half. @throws GatewayError as it was thrown on the thread */
export function toCall(outcome: BodyOutcome): RebuiltCall {
  if ('call' in outcome) return outcome.call;
  throw new GatewayError(outcome.code, outcome.message, outcome.details);
}

export function joinPieces(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  return pieces.length === 1 && first ? first : Buffer.concat(pieces);
}

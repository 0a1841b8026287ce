import { REFUSALS } from './refusals.ts';
import type { RefusalCode } from './refusals.ts';

export interface RefusalDetails {
  /** The request field at fault, told to OpenAI clients as `param`. */
  readonly param?: string;
  /**
   * When to come back; on every 429 and 503 (whole seconds are derived, at least 1). null: waiting
   * does not help.
   */
  readonly retryAfterMs?: number | null;
  /** Further headers of the reply, names and values in turn: what is left of limits. */
  readonly headers?: readonly string[];
  /** The connection cannot be used again: its framing or its body was not read to the end. */
  readonly closeConnection?: boolean;
}

/** The only error that a step of the request throws on purpose. Its text is ours and may be shown. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: RefusalCode;
  readonly details: RefusalDetails;

  constructor(code: RefusalCode, message: string, details: RefusalDetails = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return REFUSALS[this.code];
  }
}

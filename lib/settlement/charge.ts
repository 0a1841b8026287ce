import type { Lease } from '../admission/lease.ts';
import type { Call } from '../http/call.ts';
import type { Tally } from '../upstream/tally.ts';

/** What one request used: as told or estimated, and what of it is charged. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Never above what was granted, whatever the upstream says. */
  readonly chargedTokens: number;
  readonly countSource: 'reported' | 'estimated' | 'none';
}

const BYTES_A_TOKEN = 4;
const TOKENS_A_MESSAGE = 8;

/** Above what any model reads; a larger count is a lie, and would not fit where counts are kept. */
const MOST_TOKENS = 1_000_000_000;

/**
 * Counts a request that has ended (SPEC §6): the upstream's own counts where it told them; else the
 * lines of output that came, and the prompt by its size once it was written upstream. Pure.
 */
export function charge(
  call: Call,
  lease: Pick<Lease, 'numPredict'>,
  tally: Pick<Tally, 'written' | 'outputLines' | 'reported'>,
): Usage {
  if (!tally.written) {
    return { promptTokens: 0, completionTokens: 0, chargedTokens: 0, countSource: 'none' };
  }

  const reported = tally.reported;
  const promptTokens = toCount(reported?.promptTokens ?? estimatePrompt(call));
  const completionTokens = toCount(reported?.completionTokens ?? estimateOutput(lease, tally));
  const whole =
    typeof reported?.promptTokens === 'number' &&
    (lease.numPredict === null || reported.completionTokens !== null);

  return {
    promptTokens,
    completionTokens,
    chargedTokens: promptTokens + Math.min(completionTokens, lease.numPredict ?? completionTokens),
    countSource: whole ? 'reported' : 'estimated',
  };
}

function estimatePrompt({ measure }: Call): number {
  return Math.ceil(measure.textBytes / BYTES_A_TOKEN) + TOKENS_A_MESSAGE * measure.messages;
}

/** A line of an embedding is its vector, not a token. */
function estimateOutput(
  lease: Pick<Lease, 'numPredict'>,
  tally: Pick<Tally, 'outputLines'>,
): number {
  return lease.numPredict === null ? 0 : tally.outputLines;
}

function toCount(value: number): number {
  return value > 0 ? Math.min(Math.floor(value), MOST_TOKENS) : 0;
}

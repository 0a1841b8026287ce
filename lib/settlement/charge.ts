import type { Lease } from '../admission/lease.ts';
import type { Call } from '../http/call.ts';
import type { Progress } from '../ledger/hold.ts';
import type { Tally } from '../upstream/tally.ts';

/** What one request used: as told or estimated, and what of it is charged. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Never above what is held, whatever the upstream says. */
  readonly chargedTokens: number;
  readonly countSource: 'reported' | 'estimated' | 'none';
}

const BYTES_A_TOKEN = 4;
const TOKENS_A_MESSAGE = 8;

/** Above what any model reads; a larger count is a lie, and would not fit where counts are kept. */
const MOST_TOKENS = 1_000_000_000;

type Prompt = Pick<Call, 'measure'>;
type Grant = Pick<Lease, 'numPredict' | 'promptBoundTokens'>;
type Counts = Pick<Tally, 'written' | 'outputLines' | 'reported'>;

/**
 * Counts a request that has ended (SPEC §6): the upstream's own counts where it told them; else the
 * lines of output that came, and the prompt by its size once it was written upstream. Pure.
 */
export function charge(call: Prompt, lease: Grant, tally: Counts): Usage {
  if (!tally.written) {
    return { promptTokens: 0, completionTokens: 0, chargedTokens: 0, countSource: 'none' };
  }

  const reported = tally.reported;
  const promptTokens = toCount(reported?.promptTokens ?? estimatePrompt(call));
  const completionTokens = toCount(reported?.completionTokens ?? estimateOutput(lease, tally));
  const whole =
    typeof reported?.promptTokens === 'number' &&
    (lease.numPredict === null || reported.completionTokens !== null);

  const held = cutToHold(lease, { promptTokens, completionTokens });
  return {
    promptTokens,
    completionTokens,
    chargedTokens: held.promptTokens + held.completionTokens,
    countSource: whole ? 'reported' : 'estimated',
  };
}

/** How far a request has come, as it would be charged if it ended now. Pure. */
export function measureProgress(call: Prompt, lease: Grant, tally: Counts): Progress {
  return cutToHold(lease, charge(call, lease, tally));
}

/** Each count within its part of the hold. */
function cutToHold(lease: Grant, { promptTokens, completionTokens }: Progress): Progress {
  return {
    promptTokens: Math.min(promptTokens, lease.promptBoundTokens),
    completionTokens: Math.min(completionTokens, lease.numPredict ?? 0),
  };
}

function estimatePrompt({ measure }: Prompt): number {
  return Math.ceil(measure.textBytes / BYTES_A_TOKEN) + TOKENS_A_MESSAGE * measure.messages;
}

/** A line of an embedding is its vector, not a token. */
function estimateOutput(lease: Grant, tally: Counts): number {
  return lease.numPredict === null ? 0 : tally.outputLines;
}

function toCount(value: number): number {
  return value > 0 ? Math.min(Math.floor(value), MOST_TOKENS) : 0;
}

/** What a key or tenant has used of its limits; null where it has no such limit. */
export interface Used {
  /** In the last minute, this request included if it was admitted. */
  readonly requests: number | null;
  readonly tokens: number | null;
  /** Of the budget's period. */
  readonly spentTokens: number | null;
  readonly heldTokens: number | null;
}

export interface Usage {
  readonly key: Used;
  readonly tenant: Used;
}

/** Why one level refuses; null where it does not. */
export interface Verdict {
  /** Milliseconds until the same request would pass, if nobody else asked. */
  readonly requestsWaitMs: number | null;
  readonly tokensWaitMs: number | null;
  /** All slots are taken. */
  readonly concurrency: boolean;
  /** `held`: others' holds are in the way; `spent`: it would not fit without them either. */
  readonly budget: 'held' | 'spent' | null;
}

/** What Redis says of a request that wants to go upstream. Times are Redis's, in milliseconds. */
export type AdmitReply =
  | {
      readonly kind: 'ok';
      readonly nowMs: number;
      /** Output it may generate; 0 for embeddings. */
      readonly grantedTokens: number;
      readonly heldTokens: number;
      readonly usage: Usage;
    }
  | {
      readonly kind: 'no';
      readonly nowMs: number;
      readonly usage: Usage;
      readonly key: Verdict;
      readonly tenant: Verdict;
      /** Too many entries wait for Postgres. */
      readonly backlog: boolean;
    }
  /** It came after its deadline: its sender has long answered, or guessed the time badly. */
  | { readonly kind: 'late'; readonly nowMs: number }
  /** Redis lost its data or started anew: nothing is admitted until what runs is held again. */
  | { readonly kind: 'life'; readonly nowMs: number }
  /** A counter is not filled yet; its owner was told. */
  | { readonly kind: 'fill'; readonly nowMs: number }
  | { readonly kind: 'revoked'; readonly nowMs: number };

type Numbers = readonly (number | null)[];

/**
 * Types the reply of lua/admit-15.lua; nothing outside this file sees its array form.
 * @throws TypeError for a reply that the script does not make
 */
export function readAdmitReply(raw: unknown): AdmitReply {
  const [kind, now, ...rest] = raw as [unknown, unknown, ...unknown[]];
  const nowMs = Number(now);
  switch (kind) {
    case 'ok':
      return {
        kind,
        nowMs,
        grantedTokens: Number(rest[0]),
        heldTokens: Number(rest[1]),
        usage: readUsage(rest[2] as Numbers),
      };
    case 'no': {
      const verdicts = rest[1] as Numbers;
      return {
        kind,
        nowMs,
        usage: readUsage(rest[0] as Numbers),
        key: readVerdict(verdicts, 0),
        tenant: readVerdict(verdicts, 1),
        backlog: verdicts[8] === 1,
      };
    }
    case 'late':
    case 'life':
    case 'fill':
    case 'revoked':
      return { kind, nowMs };
    default:
      throw new TypeError(`admit replied ${String(kind)}`);
  }
}

function readUsage(numbers: Numbers): Usage {
  const [keyRequests, tenantRequests, keyTokens, tenantTokens, ...budgets] = numbers;
  const [keySpent, keyHeld, tenantSpent, tenantHeld] = budgets;
  return {
    key: readUsed(keyRequests, keyTokens, keySpent, keyHeld),
    tenant: readUsed(tenantRequests, tenantTokens, tenantSpent, tenantHeld),
  };
}

function readUsed(...[requests, tokens, spent, held]: (number | null | undefined)[]): Used {
  return {
    requests: requests ?? null,
    tokens: tokens ?? null,
    spentTokens: spent ?? null,
    heldTokens: held ?? null,
  };
}

/** `level`: 0 for the key, 1 for the tenant; both stand side by side. */
function readVerdict(verdicts: Numbers, level: 0 | 1): Verdict {
  const budget = verdicts[6 + level];
  return {
    requestsWaitMs: readWait(verdicts[level]),
    tokensWaitMs: readWait(verdicts[2 + level]),
    concurrency: verdicts[4 + level] === 1,
    budget: budget === 1 ? 'held' : budget === 2 ? 'spent' : null,
  };
}

/** A wait of 0 means that nothing refuses. */
function readWait(ms: number | null | undefined): number | null {
  return ms === 0 ? null : (ms ?? null);
}

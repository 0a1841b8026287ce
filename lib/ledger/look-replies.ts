import type { Counter } from './counter.ts';
import { readReply } from './reply.ts';

/** One counter beside what it should add up to, all of one moment. */
export interface CounterLook extends Counter {
  /** It is of the shard's present life. */
  readonly exists: boolean;
  readonly spentTokens: number;
  readonly heldTokens: number;
  /** In entries that wait for Postgres. */
  readonly streamTokens: number;
  /** How many entries these are: one of no tokens may still correct a row. */
  readonly streamEvents: number;
  /** In live holds. */
  readonly liveTokens: number;
}

export interface Look {
  /** Redis's clock, ms since 1970. */
  readonly nowMs: number;
  /** Null before the shard's first life. */
  readonly lifeId: string | null;
  /** That life is of this run of Redis. */
  readonly current: boolean;
  /** Admissions are made in it. */
  readonly ready: boolean;
  readonly counters: readonly CounterLook[];
}

/** A hold as it lies in Redis. */
export interface HoldLook {
  readonly id: string;
  readonly state: string;
  readonly keyId: string;
  readonly tenantId: string;
  readonly admittedAtMs: number;
  /** When it lapses unless it is renewed, ms. */
  readonly lapsesAtMs: number;
  readonly heldTokens: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** JSON of HoldFacts. */
  readonly facts: string;
}

/** Admission ids of what nothing will end, and of slots that nobody uses. */
export interface Strays {
  readonly holdsWithoutLease: readonly string[];
  readonly leasesWithoutHold: readonly string[];
}

/** Milliseconds to wait for each limit of a minute; 0: it passes. */
export interface Waits {
  readonly nowMs: number;
  readonly key: { readonly requestsMs: number; readonly tokensMs: number };
  readonly tenant: { readonly requestsMs: number; readonly tokensMs: number };
}

/** Types the reply of lua/look-3.lua. @throws TypeError for a reply that the script does not make */
export function readLook(counters: readonly Counter[], raw: unknown): Look {
  const { nowMs, rest } = readReply('look', raw, ['ok']);
  const [lifeId, current, ready, looks] = rest as [string, number, number, readonly number[][]];
  return {
    nowMs,
    lifeId: lifeId === '' ? null : lifeId,
    current: current === 1,
    ready: ready === 1,
    counters: counters.map((counter, n) => {
      const [exists, spent, held, stream, live, events] = (looks[n] ?? []).map(Number);
      return {
        ...counter,
        exists: exists === 1,
        spentTokens: spent ?? 0,
        heldTokens: held ?? 0,
        streamTokens: stream ?? 0,
        streamEvents: events ?? 0,
        liveTokens: live ?? 0,
      };
    }),
  };
}

/** Reads the fields of a hold; undefined where there is none. */
export function readHoldLook(
  id: string,
  fields: Readonly<Partial<Record<string, string>>>,
  lapsesAtMs: number,
): HoldLook | undefined {
  const { state, owners = '', sizes = '0 0', row = '{}' } = fields;
  if (state === undefined) return undefined;
  const [keyId = '', tenantId = ''] = owners.split(' ');
  const [held, at] = sizes.split(' ');
  return {
    id,
    state,
    keyId,
    tenantId,
    admittedAtMs: Number(at),
    lapsesAtMs,
    heldTokens: Number(held),
    promptTokens: Number(fields['prompt'] ?? 0),
    completionTokens: Number(fields['completion'] ?? 0),
    facts: row,
  };
}

/** Types the reply of lua/stray-2.lua. @throws TypeError for a reply that the script does not make */
export function readStrays(raw: unknown): Strays & { readonly next: string } {
  const [next, holds, leases] = readReply('stray', raw, ['ok']).rest;
  return {
    next: String(next),
    holdsWithoutLease: holds as readonly string[],
    leasesWithoutHold: leases as readonly string[],
  };
}

/** Types the reply of lua/wait-4.lua. @throws TypeError for a reply that the script does not make */
export function readWaits(raw: unknown): Waits {
  const { nowMs, rest } = readReply('wait', raw, ['ok']);
  const [keyRequests = 0, tenantRequests = 0, keyTokens = 0, tenantTokens = 0] =
    rest[0] as readonly number[];
  return {
    nowMs,
    key: { requestsMs: keyRequests, tokensMs: keyTokens },
    tenant: { requestsMs: tenantRequests, tokensMs: tenantTokens },
  };
}

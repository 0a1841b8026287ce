import { setTimeout as wait } from 'node:timers/promises';
import type { Counter, LedgerSum } from '../ledger/counter.ts';
import type { CounterLook, Look } from '../ledger/look-replies.ts';
import type { Problem } from './problem.ts';

export interface CounterParts {
  /** What Redis shows of one shard. */
  readonly look: (counters: readonly Counter[]) => Promise<Look>;
  /** Events of the shard that wait for Postgres, and the oldest of them; null where none does. */
  readonly readWaiting: () => Promise<Waiting>;
  /** What the ledger has, in the order of the counters. */
  readonly readSums: (counters: readonly Counter[]) => Promise<readonly LedgerSum[]>;
  readonly pauseMs?: number;
}

export interface Waiting {
  readonly events: number;
  readonly oldest: string | null;
}

export interface CounterComparison {
  /** Counters that stood still, and so were compared. */
  readonly compared: number;
  /** What these have spent, by Redis and by the ledger. */
  readonly redisTokens: number;
  readonly ledgerTokens: number;
  /** Counters that never stood still. */
  readonly moving: readonly Counter[];
  /** Events that nobody brought to Postgres all the while; null while they are brought. */
  readonly undrainedEvents: number | null;
  readonly problems: readonly Problem[];
}

const ROUNDS = 10;
const PAUSE_MS = 500;
/** Each look reads the whole stream while Redis does nothing else. */
const COUNTERS_AT_ONCE = 300;
const MAX_WAITING = 5_000;

interface Sight {
  readonly counter: Counter;
  /** Undefined: it moved, or something was on its way. */
  readonly spentTokens: number | undefined;
  readonly ledgerTokens: number;
}

/** By how much a counter was seen to be wrong, by its name. */
type Suspects = ReadonlyMap<string, number>;

/**
 * Compares the counters of one shard with the ledger. The two stores cannot be read in one moment,
 * so Redis is read before and after the ledger: a counter is believed if it did not move between,
 * and nothing of it was on its way to Postgres; a difference, if it is seen twice. What is held is
 * compared with the live holds as of one moment, which Redis can tell.
 */
export async function compareCounters(
  parts: CounterParts,
  counters: readonly Counter[],
): Promise<CounterComparison> {
  const believed: Believed[] = [];
  const problems = new Map<string, Problem>();
  let open = counters;
  let suspects: Suspects = new Map();
  const seen: Waiting[] = [];
  for (let round = 0; round < ROUNDS && open.length > 0; round += 1) {
    if (round > 0) await wait(parts.pauseMs ?? PAUSE_MS);
    const waiting = await parts.readWaiting();
    seen.push(waiting);
    if (waiting.events > MAX_WAITING) continue;
    const sights = await lookAtAll(parts, open, problems);
    const judged = judge(sights, suspects);
    believed.push(...judged.believed);
    ({ open, suspects } = judged);
  }
  for (const { counter, spentTokens, ledgerTokens } of believed) {
    if (spentTokens === ledgerTokens) continue;
    note(problems, { kind: 'ledger_redis', ...counter, spentTokens, ledgerTokens });
  }
  return {
    compared: believed.length,
    redisTokens: believed.reduce((sum, { spentTokens }) => sum + spentTokens, 0),
    ledgerTokens: believed.reduce((sum, { ledgerTokens }) => sum + ledgerTokens, 0),
    moving: open,
    undrainedEvents: open.length > 0 ? countUndrained(seen) : null,
    problems: [...problems.values()],
  };
}

/** The oldest is the same in the first look and the last; or there were too many in each. */
function countUndrained(seen: readonly Waiting[]): number | null {
  const [first, last] = [seen[0], seen.at(-1)];
  if (first === undefined || last === undefined) return null;
  const stands = first.oldest !== null && first.oldest === last.oldest;
  const tooMany = seen.every(({ events }) => events > MAX_WAITING);
  return stands || tooMany ? last.events : null;
}

interface Believed extends Sight {
  readonly spentTokens: number;
}

function judge(
  sights: readonly Sight[],
  suspects: Suspects,
): { believed: readonly Believed[]; open: readonly Counter[]; suspects: Suspects } {
  const believed: Believed[] = [];
  const open: Counter[] = [];
  const differing = new Map<string, number>();
  for (const { counter, spentTokens, ledgerTokens } of sights) {
    const error = spentTokens === undefined ? undefined : spentTokens - ledgerTokens;
    const isSure = error === 0 || (error !== undefined && suspects.get(nameOf(counter)) === error);
    if (isSure && spentTokens !== undefined) {
      believed.push({ counter, spentTokens, ledgerTokens });
      continue;
    }
    open.push(counter);
    if (error !== undefined) differing.set(nameOf(counter), error);
  }
  return { believed, open, suspects: differing };
}

/** One look at each counter that exists, some at a time. */
async function lookAtAll(
  parts: CounterParts,
  counters: readonly Counter[],
  problems: Map<string, Problem>,
): Promise<readonly Sight[]> {
  const sights: Sight[] = [];
  for (let from = 0; from < counters.length; from += COUNTERS_AT_ONCE) {
    const some = counters.slice(from, from + COUNTERS_AT_ONCE);
    const before = await parts.look(some);
    const sums = await parts.readSums(some);
    const after = await parts.look(some);
    for (const [n, counter] of some.entries()) {
      const [first, last] = [before.counters[n], after.counters[n]];
      if (first?.exists !== true || last?.exists !== true) continue;
      noteHeld(problems, last);
      const isStill = first.streamEvents + last.streamEvents === 0;
      const spentTokens =
        isStill && first.spentTokens === last.spentTokens ? last.spentTokens : undefined;
      sights.push({ counter, spentTokens, ledgerTokens: sums[n]?.tokens ?? 0 });
    }
  }
  return sights;
}

function noteHeld(problems: Map<string, Problem>, look: CounterLook): void {
  const { scope, period, heldTokens, liveTokens } = look;
  if (heldTokens === liveTokens) return;
  note(problems, { kind: 'held', scope, period, heldTokens, liveTokens });
}

/** Each counter's fault once, as it was last. */
function note(
  problems: Map<string, Problem>,
  problem: Extract<Problem, { kind: 'held' | 'ledger_redis' }>,
): void {
  problems.set(`${problem.kind} ${nameOf(problem)}`, problem);
}

function nameOf({ scope, period }: Counter): string {
  return `${scope}|${period}`;
}

import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';

export interface Round {
  /** From 0. */
  readonly index: number;
  /** Different in each round, the same whenever the run's seed is the same. */
  readonly seed: number;
  /** Numbers from 0 to below 1 that follow from the seed. */
  readonly random: () => number;
}

/** How often something is done: in every `npm test`, and in the matrix (NZGW_TEST_FULL=1). */
export interface Times {
  readonly ci: number;
  readonly full: number;
}

/** The runs of a model test in this slice. */
export interface Runs {
  /** 0 where the slice lies behind the last of them. */
  readonly runs: number;
  readonly seed: number;
}

let seedOfRun: number | undefined;

/**
 * The rounds of a race, crash or revocation test: `ci` of them, or `full` with NZGW_TEST_FULL=1;
 * with NZGW_TEST_ROUNDS=10-20 only those with index 10 to 19, the same as in the whole.
 * The seed is the commit's, or NZGW_TEST_SEED; it is printed once, so that a failure can be repeated.
 */
export function rounds(times: Times): Round[] {
  const { from, to } = readSlice(times);
  const base = readSeed();
  return Array.from({ length: to - from }, (_, offset) => {
    const seed = mixSeed(base, from + offset);
    return { index: from + offset, seed, random: makeRandom(seed) };
  });
}

/**
 * As `rounds`, for what draws its own runs from one seed (fast-check): a slice is a run of its own,
 * with a seed that follows from where it begins.
 */
export function readRuns(times: Times): Runs {
  const { from, to } = readSlice(times);
  const base = readSeed();
  return { runs: to - from, seed: from === 0 ? base : mixSeed(base, from) };
}

/** The seed of this run, for what draws its own numbers (fast-check, say). */
export function readSeed(): number {
  seedOfRun ??= announce(Number(process.env['NZGW_TEST_SEED'] ?? readCommitSeed()) >>> 0);
  return seedOfRun;
}

/**
 * From where to below where; all of it unless NZGW_TEST_ROUNDS says otherwise. The matrix, which cuts
 * the slices, learns from NZGW_TEST_ROUNDS_FILE how many there are.
 */
function readSlice({ ci, full }: Times): { readonly from: number; readonly to: number } {
  const count = process.env['NZGW_TEST_FULL'] === '1' ? full : ci;
  const file = process.env['NZGW_TEST_ROUNDS_FILE'];
  if (file !== undefined) appendFileSync(file, `${count}\n`);
  const wanted = process.env['NZGW_TEST_ROUNDS'];
  if (wanted === undefined) return { from: 0, to: count };
  const match = /^(\d+)-(\d+)$/.exec(wanted);
  if (match === null) throw new Error(`NZGW_TEST_ROUNDS=${wanted}: FROM-TO is wanted`);
  const from = Math.min(Number(match[1]), count);
  return { from, to: Math.max(from, Math.min(Number(match[2]), count)) };
}

function mixSeed(base: number, index: number): number {
  return (base + Math.imul(index + 1, 0x9e37_79b9)) >>> 0;
}

function announce(seed: number): number {
  process.stderr.write(`seed ${seed} (NZGW_TEST_SEED=${seed} repeats it)\n`);
  return seed;
}

function readCommitSeed(): number {
  try {
    const commit = execFileSync('git', ['rev-parse', 'HEAD'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number.parseInt(commit.toString('latin1', 0, 8), 16);
  } catch {
    return 1;
  }
}

/** Mulberry32: small, even enough for choosing moments and orders, not for secrets. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

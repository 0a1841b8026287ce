import { execFileSync } from 'node:child_process';

export interface Round {
  /** From 0. */
  readonly index: number;
  /** Different in each round, the same whenever the run's seed is the same. */
  readonly seed: number;
  /** Numbers from 0 to below 1 that follow from the seed. */
  readonly random: () => number;
}

let seedOfRun: number | undefined;

/**
 * The rounds of a race, crash or revocation test: `ci` of them, or `full` with NZGW_TEST_FULL=1.
 * The seed is the commit's, or NZGW_TEST_SEED; it is printed once, so that a failure can be repeated.
 */
export function rounds({ ci, full }: { readonly ci: number; readonly full: number }): Round[] {
  const count = process.env['NZGW_TEST_FULL'] === '1' ? full : ci;
  const base = readSeed();
  return Array.from({ length: count }, (_, index) => {
    const seed = (base + Math.imul(index + 1, 0x9e37_79b9)) >>> 0;
    return { index, seed, random: makeRandom(seed) };
  });
}

/** The seed of this run, for what draws its own numbers (fast-check, say). */
export function readSeed(): number {
  seedOfRun ??= announce(Number(process.env['NZGW_TEST_SEED'] ?? readCommitSeed()) >>> 0);
  return seedOfRun;
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

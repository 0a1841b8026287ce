/** What a slice aims at; its deadline is twice as far. */
const SLICE_MS = 10 * 60_000;

/**
 * How far a file has come. Rounds are counted from 0, `to` is not among them. `total` is not known
 * before the file has run once; `failed` counts tests.
 *
 * @typedef {{ from: number, to: number, ms: number, failed: number }} Slice
 * @typedef {{ commit: string, seed: number, total?: number, slices: Slice[], written?: boolean }} Progress
 */

/**
 * What was done counts only for the same commit and the same seed.
 *
 * @returns {Progress}
 */
export function resume(kept, { commit, seed }) {
  const isSame = kept !== undefined && kept.commit === commit && kept.seed === seed;
  return isSame ? kept : { commit, seed, slices: [] };
}

/**
 * The next slice, or undefined when all is done. The first is one round: it tells how many there are
 * and how long one takes, at the most, since what comes before the rounds is in it as well.
 */
export function nextSlice({ total, slices }) {
  const last = slices.at(-1);
  if (last === undefined) return { from: 0, to: 1 };
  if (last.to >= total) return undefined;
  const perRoundMs = Math.max(last.ms, 1) / (last.to - last.from);
  const size = Math.max(1, Math.floor(SLICE_MS / perRoundMs));
  return { from: last.to, to: Math.min(total, last.to + size) };
}

/**
 * Progress with one slice more. `counts` is what the file said of its rounds, a number for each time
 * that it asked; a file that never asks is done with one slice. Undefined when the file failed before
 * it could ask: that is no result.
 *
 * @returns {Progress | undefined}
 */
export function addSlice(progress, slice, counts) {
  if (progress.total === undefined && counts.length === 0 && slice.failed > 0) return undefined;
  const total = Math.max(1, progress.total ?? 0, ...counts);
  return { ...progress, total, slices: [...progress.slices, slice] };
}

/** @returns {{ rounds: number, failures: number, minutes: string }} */
export function sumUp({ slices }) {
  const sum = (name) => slices.reduce((all, slice) => all + slice[name], 0);
  return {
    rounds: slices.at(-1)?.to ?? 0,
    failures: sum('failed'),
    minutes: (sum('ms') / 60_000).toFixed(1),
  };
}

/**
 * What a run of a file is called: where it is not the topology of every `npm test`, that is part of
 * the name, so that neither progress nor lines are taken for the other's.
 */
export function nameRun(file, topology = 'single') {
  return topology === 'single' ? file : `${file}@${topology}`;
}

/** The line of a run that is done, in the order of the header of test/matrix.tsv. */
export function formatLine(run, progress) {
  const { rounds, failures, minutes } = sumUp(progress);
  const { commit, seed } = progress;
  return `${[commit, seed, run, rounds, failures, minutes].join('\t')}\n`;
}

/** Whether a test file has more rounds in the matrix; tests of these instruments have not. */
export function belongsToMatrix({ path, text }) {
  if (/^test\/unit\/(support|bootstrap)\//.test(path)) return false;
  return /\b(rounds|readRuns)\(|\bprocess\.env(\.|\[')NZGW_TEST_FULL\b/.test(text);
}

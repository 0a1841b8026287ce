/** One request of a user, as the audit log keeps it. */
export interface Attempt {
  /** Redis's time of the admission; of a refusal, the worker's estimate of it at the close. */
  readonly atMs: number;
  readonly durationMs: number;
  readonly admitted: boolean;
}

const WINDOW_MS = 60_000;
/** The 60 whole seconds before the present one count whole. */
const SECONDS = 61;
/** A refusal's time is an estimate. */
const MARGIN_MS = 50;

/**
 * Judges a user's requests, oldest first: none admitted beyond the limit in any 60 s, none refused
 * while there was room. What is wrong, in sentences.
 */
export function judgeUser(attempts: readonly Attempt[], limit: number): readonly string[] {
  const admitted = attempts.filter((attempt) => attempt.admitted).map(({ atMs }) => atMs);
  const faults: string[] = [];
  for (const [n, atMs] of admitted.entries()) {
    const before = admitted[n - limit];
    if (before !== undefined && atMs - before < WINDOW_MS) {
      faults.push(`${limit + 1} requests within ${atMs - before} ms`);
    }
  }
  for (const { atMs, durationMs, admitted: passed } of attempts) {
    if (passed) continue;
    const fromMs = atMs - durationMs - MARGIN_MS;
    const moments = listFullest(fromMs, atMs + MARGIN_MS);
    const most = Math.max(...moments.map((ms) => countAt(admitted, ms)));
    if (most < limit) faults.push(`refused with ${most} of ${limit} in the window`);
  }
  return faults;
}

/** When a window holds most between two moments: at the end, and just before an old second leaves it. */
function listFullest(fromMs: number, toMs: number): readonly number[] {
  const moments = [toMs];
  for (let ms = Math.ceil(fromMs / 1_000) * 1_000; ms <= toMs; ms += 1_000) moments.push(ms - 1);
  return moments;
}

/** What the window of a moment holds: its own second so far and the 60 before it. */
function countAt(admitted: readonly number[], atMs: number): number {
  const oldestMs = (Math.floor(atMs / 1_000) - SECONDS + 1) * 1_000;
  return admitted.filter((ms) => ms >= oldestMs && ms <= atMs).length;
}

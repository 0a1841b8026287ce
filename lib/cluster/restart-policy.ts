const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
const WINDOW_MS = 30_000;
const EXITS_IN_WINDOW = 5;
const CALM_MS = 60_000;

export interface RestartPolicy {
  /** Milliseconds to wait before the next fork, or undefined once this is a crash loop. */
  noteExit(nowMs: number): number | undefined;
}

/** 100 ms doubling to 10 s, forgotten after a calm minute; the sixth exit in 30 s is a crash loop. */
export function makeRestartPolicy(): RestartPolicy {
  let exits: number[] = [];
  let pauseMs = FIRST_PAUSE_MS;

  return {
    noteExit(nowMs) {
      const last = exits.at(-1);
      if (last !== undefined && nowMs - last > CALM_MS) pauseMs = FIRST_PAUSE_MS;
      exits = [...exits.filter((at) => nowMs - at < WINDOW_MS), nowMs];
      if (exits.length > EXITS_IN_WINDOW) return undefined;
      const now = pauseMs;
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
      return now;
    },
  };
}

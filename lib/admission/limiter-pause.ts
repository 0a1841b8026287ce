/** After several time-outs in a row Redis is not waited for at all, for a while. */
export interface LimiterPause {
  /** True while requests are to be refused at once. */
  isOn(): boolean;
  /** Redis did not answer in time. */
  noteTimeout(): void;
  /** Redis answered, whatever it said. */
  noteAnswer(): void;
}

const TIMEOUTS = 3;
const PAUSE_MS = 1_000;

/** Three time-outs in a row refuse everything for one second (SPEC §5). `nowMs` is monotonic. */
export function makeLimiterPause(nowMs: () => number): LimiterPause {
  let timeouts = 0;
  let untilMs = -Infinity;
  return {
    isOn: () => nowMs() < untilMs,
    noteTimeout() {
      timeouts += 1;
      if (timeouts >= TIMEOUTS) untilMs = nowMs() + PAUSE_MS;
    },
    noteAnswer() {
      timeouts = 0;
    },
  };
}

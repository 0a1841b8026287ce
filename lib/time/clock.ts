/** The two times a process knows. Steps take it as an argument, so that tests can move it. */
export interface Clock {
  /** Milliseconds since 1970 by the host's clock, which may step. For dates only. */
  wallMs(): number;
  /**
   * Milliseconds of CLOCK_MONOTONIC: never steps, and is the same for every process of the host
   * (`performance.now()` starts at zero in each). For deadlines and durations.
   */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1_000 + nanoseconds / 1_000_000;
  },
};

/** When a client that waits for events hears that it waits (SPEC §6). */
export interface BeatTimes {
  /** From its request on, unless something came before. */
  readonly firstMs: number;
  /** And from then on. */
  readonly everyMs: number;
}

/** Beats until it is stopped. Whoever starts one stops it on every path. */
export class Heartbeat {
  #timer: NodeJS.Timeout;

  /** `firstMs` from now, at once if it is over, then every `everyMs`. */
  constructor({ firstMs, everyMs }: BeatTimes, beat: () => void) {
    this.#timer = setTimeout(
      () => {
        this.#timer = setInterval(beat, everyMs);
        beat();
      },
      Math.max(0, firstMs),
    );
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

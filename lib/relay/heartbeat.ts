/** When a client that waits for events hears that it waits (SPEC §6). */
export interface BeatTimes {
  /** From now on, unless something comes before. */
  readonly firstMs: number;
  /** And from then on. */
  readonly everyMs: number;
}

/** Beats until it is stopped. Whoever starts one stops it on every path. */
export class Heartbeat {
  readonly #everyMs: number;
  readonly #beat: () => void;
  #timer: NodeJS.Timeout;
  #begun = false;

  /** `firstMs` from now, at once if it is over, then every `everyMs`. */
  constructor({ firstMs, everyMs }: BeatTimes, beat: () => void) {
    this.#everyMs = everyMs;
    this.#beat = beat;
    this.#timer = setTimeout(
      () => {
        this.#begin();
        beat();
      },
      Math.max(0, firstMs),
    );
  }

  /** Something was sent: the next beat is due `everyMs` from now. */
  delay(): void {
    if (this.#begun) this.#timer.refresh();
    else this.#begin();
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#begun = true;
    this.#timer = setInterval(this.#beat, this.#everyMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** One thing to do in its turn. Without a promise it is done at once. */
export type LaneItem = () => Promise<unknown> | undefined;

/** Does one thing after the other: what is held holds all that stands behind it. */
export class FrameLane {
  readonly #items: LaneItem[] = [];
  #running = false;

  /** The item must not fail. */
  push(item: LaneItem): void {
    this.#items.push(item);
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) {
      const end = item();
      if (end !== undefined) await end;
    }
    this.#running = false;
  }
}

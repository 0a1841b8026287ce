/** A line of a gateway's log. */
export type LoggedEvent = Readonly<Record<string, unknown>>;

/** What a gateway has logged, by event. Each line is parsed once: tests look every few milliseconds. */
export class EventLog {
  readonly #lines = new Map<unknown, LoggedEvent[]>();
  #readTo = 0;

  /** `output`: all that was written so far; what was there at the last call is still its beginning. */
  read(output: string, event: string): readonly LoggedEvent[] {
    const end = output.lastIndexOf('\n') + 1;
    for (const text of output.slice(this.#readTo, end).split('\n')) this.#add(text);
    this.#readTo = Math.max(this.#readTo, end);
    return [...(this.#lines.get(event) ?? [])];
  }

  #add(text: string): void {
    if (!text.startsWith('{') || !text.endsWith('}')) return;
    const line = JSON.parse(text) as LoggedEvent;
    const known = this.#lines.get(line['event']) ?? [];
    if (known.length === 0) this.#lines.set(line['event'], known);
    known.push(line);
  }
}

import type { Tally } from '../upstream/tally.ts';
import { replyTooLong } from './failures.ts';
import { maxLinesOf } from './relay-request.ts';
import type { LineObserver, RelayRequest } from './relay-request.ts';

/** Counts the lines of a reply as they are taken: its client pays for them. */
export class LineCount {
  readonly #tally: Tally;
  readonly #maxLines: number;
  readonly #observer: LineObserver | undefined;

  constructor({ tally, lease, observer }: RelayRequest) {
    this.#tally = tally;
    this.#maxLines = maxLinesOf(lease);
    this.#observer = observer;
  }

  /** @throws GatewayError if one more would be more than was asked for (SPEC §6) */
  check(): void {
    if (this.#tally.outputLines >= this.#maxLines) throw replyTooLong();
  }

  note(line: Buffer): void {
    this.#tally.outputLines += 1;
    this.#observer?.(line);
  }
}

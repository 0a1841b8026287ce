import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { renderCsv, renderTable, toPrintable } from './table.ts';

export interface OutputOptions {
  readonly stdout: MaybeTerminal;
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** `--json`: one document on stdout, no table. */
  readonly json: boolean;
  /** `--quiet`: no notes. */
  readonly quiet: boolean;
}

/** What can be drawn on. The text is written as it is: whoever draws makes it printable. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  readonly write: (text: string) => void;
}

type MaybeTerminal = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** Where a command speaks: the answer on stdout, everything else on stderr. */
export class Output {
  readonly #options: OutputOptions;

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  get json(): boolean {
    return this.#options.json;
  }

  /** stdout, where it is a terminal; its size is that of this moment. */
  get terminal(): Terminal | undefined {
    const { stdout } = this.#options;
    if (stdout.isTTY !== true) return undefined;
    return {
      get columns() {
        return atLeastOne(stdout.columns) ?? 80;
      },
      get rows() {
        return atLeastOne(stdout.rows) ?? 24;
      },
      write: (text) => {
        stdout.write(text);
      },
    };
  }

  /** The answer: a document with `--json`, else the given lines. */
  answer(document: unknown, lines: () => readonly string[]): void {
    if (this.json) this.#writeDocument(document);
    else this.lines(lines());
  }

  /** A list: `{"data","next_cursor"}` with `--json`, else a table with its header. */
  list<T>(
    items: readonly T[],
    toDocument: (item: T) => object,
    columns: Readonly<Record<string, (item: T) => string>>,
  ): void {
    if (this.json) {
      this.#writeDocument({ data: items.map(toDocument), next_cursor: null });
      return;
    }
    const readers = Object.values(columns);
    const cells = items.map((item) => readers.map((read) => read(item)));
    this.lines(renderTable(Object.keys(columns), cells));
  }

  /** A part of a list that goes on behind `nextCursor`; only with `--json`. */
  page(documents: readonly object[], nextCursor: string | null): void {
    this.#writeDocument({ data: documents, next_cursor: nextCursor });
  }

  /** One document of many, a line each. Resolves when there is room for the next; false: nobody reads on. Rejects with any other fault. */
  async line(document: object): Promise<boolean> {
    const { stdout } = this.#options;
    if (stdout.destroyed) return false;
    if (stdout.write(`${JSON.stringify(document)}\n`)) return true;
    return once(stdout, 'drain').then(
      () => true,
      (error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return false;
        throw error;
      },
    );
  }

  /** The same as CSV, its lines ended as RFC 4180 has it. */
  csv<T>(items: readonly T[], columns: Readonly<Record<string, (item: T) => string>>): void {
    const readers = Object.values(columns);
    const rows = items.map((item) => readers.map((read) => read(item)));
    for (const line of renderCsv(Object.keys(columns), rows)) {
      this.#options.stdout.write(`${toPrintable(line)}\r\n`);
    }
  }

  /** Text for people on stdout, whether or not `--json` was given: help and version. */
  lines(lines: readonly string[]): void {
    for (const line of lines) this.#options.stdout.write(`${toPrintable(line)}\n`);
  }

  /** What changed, what to do next: for people only, so silent with `--json` and `--quiet`. */
  note(text: string): void {
    if (!this.json && !this.#options.quiet) this.warn(text);
  }

  /** What must be seen in any case. Never a secret. */
  warn(text: string): void {
    this.#options.stderr.write(`${toPrintable(text)}\n`);
  }

  #writeDocument(document: unknown): void {
    const indent = this.#options.stdout.isTTY === true ? 2 : undefined;
    this.#options.stdout.write(`${JSON.stringify(document, undefined, indent)}\n`);
  }
}

/** A terminal that nobody has told its size has none. */
function atLeastOne(size: number | undefined): number | undefined {
  return size === 0 ? undefined : size;
}

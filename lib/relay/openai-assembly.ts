import type { LineFacts } from '../ollama/replies/line-facts.ts';
import { parseLine } from '../ollama/replies/parse-line.ts';
import type { FramesSpec } from '../openai/replies/make-frames.ts';
import { LISTS, toWholePart, wrapWhole } from '../openai/replies/whole-part.ts';
import type { PartPlace, TextName, WholePart } from '../openai/replies/whole-part.ts';
import type { Assembly, AssemblyParts, Part } from './assembly.ts';
import { replyTooLong } from './failures.ts';
import { JsonText } from './json-text.ts';
import type { LargeReplies } from './large-replies.ts';
import type { ReplyMemory } from './reply-memory.ts';

/** As OpenAI's clients want it (SPEC §8). */
export class OpenAiAssembly implements Assembly {
  readonly #large: LargeReplies;
  readonly #spec: FramesSpec;
  readonly #maxBytes: number;
  readonly #memory: ReplyMemory;
  readonly #texts = new Map<TextName, JsonText>();
  #last: WholePart | null = null;

  constructor(large: LargeReplies, spec: FramesSpec, { maxBytes, memory }: AssemblyParts) {
    this.#large = large;
    this.#spec = spec;
    this.#maxBytes = maxBytes;
    this.#memory = memory;
  }

  get last(): LineFacts | null {
    return this.#last && this.#last.facts;
  }

  read(bytes: Uint8Array): Part | null {
    const line = parseLine(bytes);
    return line && this.#toPart(toWholePart(line, this.#place));
  }

  async readLarge(bytes: Uint8Array, memory: ReplyMemory): Promise<Part | null> {
    return this.#toPart(await this.#large.takePart(bytes, this.#place, memory));
  }

  finish(): Uint8Array[] | null {
    if (!this.#last) return null;
    const { createdS, doneReason, facts } = this.#last;
    const { kind, id, model, fallbackCreatedS } = this.#spec;
    const reply = {
      id,
      model,
      createdS: createdS ?? fallbackCreatedS,
      doneReason,
      usage: facts.usage,
    };
    return wrapWhole(kind, reply, (name) => this.#texts.get(name)?.take() ?? []).map((piece) =>
      typeof piece === 'string' ? Buffer.from(piece) : piece,
    );
  }

  get #place(): PartPlace {
    const { kind, callIdPrefix } = this.#spec;
    return { kind, callIdPrefix, sent: this.#last?.sent ?? 0 };
  }

  #toPart(part: WholePart | null): Part | null {
    if (!part) return null;
    return {
      facts: part.facts,
      add: () => {
        this.#add(part);
      },
    };
  }

  #add(part: WholePart): void {
    this.#last = part;
    for (const name of Object.keys(part.texts) as TextName[]) {
      this.#open(name).add(part.texts[name] ?? '');
    }
    let bytes = 0;
    for (const { length } of this.#texts.values()) bytes += length;
    if (bytes > this.#maxBytes) throw replyTooLong();
  }

  #open(name: TextName): JsonText {
    const opened = this.#texts.get(name);
    if (opened) return opened;
    const text = new JsonText(this.#memory, LISTS.has(name) ? ',' : '');
    this.#texts.set(name, text);
    return text;
  }
}

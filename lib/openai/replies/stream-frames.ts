import { toLineFacts } from '../../ollama/replies/line-facts.ts';
import type { LineFacts } from '../../ollama/replies/line-facts.ts';
import type { ReplyLine } from '../../ollama/replies/parse-line.ts';
import { ChunkEnvelope } from './chunk-envelope.ts';
import { NEW_STREAM } from './frames.ts';
import type { FramedLine, Frames, StreamOptions, StreamState } from './frames.ts';
import { parseText, readCreatedS } from './read-line.ts';
import type { ReplyObject } from './reply-head.ts';

/** What a line becomes: the choices of its chunks, one each. */
export interface LineChoices {
  readonly choices: readonly object[];
  /** StreamState's, after them. */
  readonly sent: number;
}

/** In what chats and completions differ. */
export interface ChunkForm {
  readonly object: ReplyObject;
  /** The choice of a plain line: what stands before and after its content. */
  readonly plain: readonly [before: string, after: string];
  readPlain(text: string): string | null;
  toChoices(line: ReplyLine, at: { readonly first: boolean; readonly sent: number }): LineChoices;
}

/** A stream of either form: when it begins, when it ends, and what passes unread in between. */
export class StreamFrames implements Frames {
  readonly #form: ChunkForm;
  readonly #options: StreamOptions;
  #state: StreamState;
  #envelope: ChunkEnvelope | null = null;
  /** Around the content of a plain line; null: the stream has not begun, or is over. */
  #around: readonly [string, string] | null = null;

  constructor(form: ChunkForm, options: StreamOptions, state: StreamState = NEW_STREAM) {
    this.#form = form;
    this.#options = options;
    this.#state = state;
    if (state.createdS !== null && !state.finished) this.#open(state.createdS);
  }

  get state(): StreamState {
    return this.#state;
  }

  framePlain(text: string): string | null {
    if (this.#around === null) return null;
    const content = this.#form.readPlain(text);
    return content === null ? null : this.#around[0] + content + this.#around[1];
  }

  frame(text: string): FramedLine | null {
    const line = parseText(text);
    if (!line) return null;
    const facts = toLineFacts(line);
    if (facts.failed || this.#state.finished) return { frames: '', facts };
    try {
      return { frames: this.#add(line, facts), facts };
    } catch (error) {
      // What JSON.parse could read, JSON.stringify may find too deep.
      if (error instanceof RangeError) return null;
      throw error;
    }
  }

  #add(line: ReplyLine, { done, usage }: LineFacts): string {
    const first = this.#state.createdS === null;
    const { choices, sent } = this.#form.toChoices(line, { first, sent: this.#state.sent });
    const createdS = this.#state.createdS ?? readCreatedS(line) ?? this.#options.fallbackCreatedS;
    const envelope = this.#envelope ?? this.#open(createdS);
    let frames = '';
    for (const choice of choices) frames += envelope.wrap(choice);
    if (done) {
      frames += envelope.close(usage);
      this.#around = null;
    }
    this.#state = { createdS, sent, finished: done };
    return frames;
  }

  #open(createdS: number): ChunkEnvelope {
    const envelope = new ChunkEnvelope(this.#form.object, this.#options, createdS);
    const [before, after] = this.#form.plain;
    this.#envelope = envelope;
    this.#around = [envelope.before + before, after + envelope.after];
    return envelope;
  }
}

import type { GatewayError } from '../errors/gateway-error.ts';
import type { LineFacts } from '../ollama/replies/line-facts.ts';
import { nameFields } from '../openai/name-fields.ts';
import { PLAIN_FACTS } from '../openai/replies/frames.ts';
import type { Frames } from '../openai/replies/frames.ts';
import { makeFrames } from '../openai/replies/make-frames.ts';
import type { FramesSpec } from '../openai/replies/make-frames.ts';
import { KEEP_ALIVE, toErrorFrame } from '../openai/replies/sse.ts';
import { judgeLine } from './check-line.ts';
import { EVENT_HEADERS } from './event-head.ts';
import { brokenOff } from './failures.ts';
import type { LargeReplies } from './large-replies.ts';
import type { ReplyMemory } from './reply-memory.ts';
import type { StreamForm, StreamLine } from './stream-form.ts';

/** OpenAI's server-sent events, made line by line of what the upstream streams (SPEC §8). */
export class EventForm implements StreamForm {
  readonly headers = EVENT_HEADERS;
  readonly keepAlive = KEEP_ALIVE;
  readonly #large: LargeReplies;
  readonly #spec: FramesSpec;
  #frames: Frames;
  /** Of the lines taken since the last flush. */
  #text = '';
  #bytes: Uint8Array | null = null;
  /** Of the events that were handed out last: they may wait for their client until the next are. */
  #handedBytes = 0;
  #last: LineFacts | null = null;

  constructor(large: LargeReplies, spec: FramesSpec) {
    this.#large = large;
    this.#spec = spec;
    this.#frames = makeFrames(spec);
  }

  get told(): boolean {
    return this.#frames.state.finished;
  }

  take({ bytes, last }: StreamLine): void {
    if (this.told) return;
    const text = bytes.toString();
    const plain = last ? null : this.#frames.framePlain(text);
    if (plain !== null) {
      this.#last = PLAIN_FACTS;
      this.#text += plain;
      return;
    }
    const framed = this.#frames.frame(text);
    this.#last = judgeLine(framed?.facts ?? null);
    if (framed) this.#text += framed.frames;
  }

  async takeLarge(line: Buffer, memory: ReplyMemory): Promise<void> {
    if (this.told) return;
    const { state } = this.#frames;
    const framed = await this.#large.frameLine({ spec: this.#spec, state, line }, memory);
    this.#last = judgeLine(framed?.facts ?? null);
    if (!framed) return;
    memory.drop(this.#handedBytes);
    this.#handedBytes = 0;
    memory.hold(framed.frames.length);
    this.#handedBytes = framed.frames.length;
    this.#bytes = framed.frames;
    this.#frames = makeFrames(this.#spec, framed.state);
  }

  flush(): Buffer | null {
    const large = this.#bytes;
    if (large) {
      this.#bytes = null;
      return Buffer.from(large.buffer, large.byteOffset, large.byteLength);
    }
    if (this.#text === '') return null;
    const bytes = Buffer.from(this.#text);
    this.#text = '';
    return bytes;
  }

  readLast(): LineFacts | null {
    return this.#last;
  }

  /** No finish is invented for a reply that has none (SPEC §6). */
  finish({ done }: LineFacts): GatewayError | null {
    return done ? null : brokenOff();
  }

  toErrorFrame(error: GatewayError): string {
    return toErrorFrame(nameFields(error, this.#spec.kind === 'chat' ? 'chat' : 'generate'));
  }
}

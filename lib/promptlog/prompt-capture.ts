import type { ByteBudget } from '../memory/byte-budget.ts';
import { ReplyTextGatherer } from './reply-text.ts';
import type { PromptOwner } from './seal-prompt.ts';

/** However long the request: so much of an entry is the reply's, if it has so much to say. */
const REPLY_SHARE = 1 / 4;
/** Memory is taken in steps: tokens are small, and many. */
const STEP_BYTES = 16_384;

/** The request that is to be kept, as it goes to the model. */
export interface CapturedRequest extends PromptOwner {
  readonly endpoint: string;
  readonly model: string;
  /** JSON members without braces: `"messages":[…]`. */
  readonly members: Uint8Array;
}

/** What memory it may take. */
export interface CaptureBounds {
  readonly memory: ByteBudget;
  /** Of the texts of one entry. */
  readonly maxBytes: number;
}

/**
 * One request and its reply while they run, in memory of its own (SPEC §11). Nothing of the buffers
 * that it sees is kept: they are others'.
 */
export class PromptCapture {
  readonly owner: PromptOwner;
  readonly #endpoint: string;
  readonly #model: string;
  readonly #bounds: CaptureBounds;
  /** Longer than an entry may be, and already cut to that. */
  readonly #tooLong: boolean;
  #request: Uint8Array;
  #reply = new ReplyTextGatherer();
  #takenBytes = 0;
  #lost = false;

  constructor(request: CapturedRequest, bounds: CaptureBounds) {
    const { members, id, tenantId, keyId } = request;
    this.owner = { id, tenantId, keyId };
    this.#endpoint = request.endpoint;
    this.#model = request.model;
    this.#bounds = bounds;
    this.#tooLong = members.length > bounds.maxBytes;
    this.#request = new Uint8Array();
    const kept = Math.min(members.length, bounds.maxBytes);
    if (this.#take(kept)) this.#request = new Uint8Array(members.subarray(0, kept));
  }

  /** There was no room for it: it is not kept. */
  get lost(): boolean {
    return this.#lost;
  }

  get cut(): boolean {
    return this.#reply.cut || this.#isRequestCut();
  }

  /** A line of the reply, as the upstream sent it. Never throws: its reader has nothing to do with it. */
  note(line: Buffer): void {
    if (this.#lost) return;
    const { maxBytes } = this.#bounds;
    const roomBytes = Math.max(maxBytes - this.#request.length, maxBytes * REPLY_SHARE);
    try {
      this.#reply.take(line, roomBytes);
    } catch {
      // A model can nest what it calls tools with deeper than can be written again.
      this.#lose();
      return;
    }
    this.#take(this.#request.length + this.#reply.bytes);
  }

  /** The entry as text: JSON, in which a request that was cut is a text. */
  toText(): string {
    const facts = { version: 1, endpoint: this.#endpoint, model: this.#model };
    const head = JSON.stringify(facts).slice(0, -1);
    return `${head},"request":${this.#requestToJson()},"reply":${this.#reply.toJson()}}`;
  }

  /** Gives its memory back. To be called once, when the entry is nowhere any more. */
  release(): void {
    this.#bounds.memory.give(this.owner.tenantId, this.#takenBytes);
    this.#takenBytes = 0;
  }

  #requestToJson(): string {
    if (!this.#isRequestCut()) return `{${Buffer.from(this.#request).toString()}}`;
    const kept = this.#request.subarray(0, this.#bounds.maxBytes - this.#reply.bytes);
    // A character that was cut in two is left out.
    return JSON.stringify(new TextDecoder().decode(kept, { stream: true }));
  }

  #isRequestCut(): boolean {
    return this.#tooLong || this.#request.length + this.#reply.bytes > this.#bounds.maxBytes;
  }

  /** Of `bytes` in all. */
  #take(bytes: number): boolean {
    const wanted = Math.ceil(bytes / STEP_BYTES) * STEP_BYTES - this.#takenBytes;
    if (wanted <= 0) return true;
    if (!this.#bounds.memory.take(this.owner.tenantId, wanted)) {
      this.#lose();
      return false;
    }
    this.#takenBytes += wanted;
    return true;
  }

  #lose(): void {
    this.#lost = true;
    this.#request = new Uint8Array();
    this.#reply = new ReplyTextGatherer();
    this.release();
  }
}

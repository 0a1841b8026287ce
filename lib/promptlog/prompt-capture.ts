import type { ByteBudget } from '../memory/byte-budget.ts';
import { ReplyTextGatherer } from './reply-text.ts';
import type { PromptOwner } from './seal-prompt.ts';

/** Of a request that is cut so much stays at most, so that there is room for a reply. */
const REQUEST_SHARE = 3 / 4;
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
  /** Of one entry, as text. */
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
  #request: string;
  readonly #requestCut: boolean;
  #reply = new ReplyTextGatherer();
  readonly #bounds: CaptureBounds;
  #roomBytes: number;
  #takenBytes = 0;
  #usedBytes = 0;
  #lost = false;

  constructor(request: CapturedRequest, bounds: CaptureBounds) {
    const { members, id, tenantId, keyId } = request;
    this.owner = { id, tenantId, keyId };
    this.#endpoint = request.endpoint;
    this.#model = request.model;
    this.#bounds = bounds;
    this.#requestCut = members.length > bounds.maxBytes;
    const kept = this.#requestCut ? Math.floor(bounds.maxBytes * REQUEST_SHARE) : members.length;
    this.#roomBytes = bounds.maxBytes - kept;
    this.#request = '';
    if (this.#take(kept)) this.#request = readText(members.subarray(0, kept));
  }

  /** There was no room for it: it is not kept. */
  get lost(): boolean {
    return this.#lost;
  }

  get cut(): boolean {
    return this.#requestCut || this.#reply.cut;
  }

  /** A line of the reply, as the upstream sent it. */
  note(line: Buffer): void {
    if (this.#lost) return;
    const bytes = this.#reply.take(line);
    this.#roomBytes -= bytes;
    if (this.#roomBytes <= 0) this.#reply.stop();
    this.#take(bytes);
  }

  /** The entry as text: JSON, in which a request that was cut is a text. */
  toText(): string {
    const request = this.#requestCut ? JSON.stringify(this.#request) : `{${this.#request}}`;
    const facts = { version: 1, endpoint: this.#endpoint, model: this.#model };
    const head = JSON.stringify(facts).slice(0, -1);
    return `${head},"request":${request},"reply":${JSON.stringify(this.#reply.text)}}`;
  }

  /** Gives its memory back. To be called once, when the entry is nowhere any more. */
  release(): void {
    this.#bounds.memory.give(this.owner.tenantId, this.#takenBytes);
    this.#takenBytes = 0;
  }

  #take(bytes: number): boolean {
    this.#usedBytes += bytes;
    const wanted = Math.ceil(this.#usedBytes / STEP_BYTES) * STEP_BYTES - this.#takenBytes;
    if (wanted <= 0) return true;
    if (this.#bounds.memory.take(this.owner.tenantId, wanted)) {
      this.#takenBytes += wanted;
      return true;
    }
    this.#lost = true;
    this.#request = '';
    this.#reply = new ReplyTextGatherer();
    this.release();
    return false;
  }
}

/** A character that was cut in two is left out. */
function readText(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: true });
}

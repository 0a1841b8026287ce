import type { EmbedReply } from '../ollama/replies/rebuild-embed-reply.ts';
import type { LineApart } from '../ollama/replies/line-pieces.ts';
import type { LineFacts } from '../ollama/replies/line-facts.ts';
import type { LargeFrames, LargeLine } from '../openai/replies/frame-large-line.ts';
import type { PartPlace, WholePart } from '../openai/replies/whole-part.ts';
import { cannotRead, tooManyLarge } from './failures.ts';
import type { ReplyMemory } from './reply-memory.ts';
import type { EmbedForm, ReplyTask } from './reply-task.ts';

/** Runs one task in a thread; its buffers in `transfer` move there. */
export type RunReplyTask = <T>(
  task: ReplyTask,
  transfer: readonly ArrayBuffer[],
) => Promise<T | null>;

/** At the threads at once; the pool has places for them. */
const MAX_RUNNING = 2;
/** A GPU has worked for those that wait: a place costs less than the work. */
const MAX_WAITING = 64;

/**
 * What is too large to be read on the thread that streams (SPEC §2.1). One a worker: a bounded
 * queue in front of the threads, in order of arrival. Segments that are given are given away. All
 * resolve with null for what is no such reply.
 */
export class LargeReplies {
  readonly #run: RunReplyTask;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(run: RunReplyTask) {
    this.#run = run;
  }

  /** @throws GatewayError `overloaded` when too many wait, or the thread died */
  rebuildEmbed(form: EmbedForm, segments: readonly Uint8Array[]): Promise<EmbedReply | null> {
    const task: ReplyTask = { type: 'embed-reply', form, segments };
    return this.#do(() => this.#runTask<EmbedReply>(task, segments));
  }

  /** @throws GatewayError `overloaded`, also for want of memory for a copy */
  readFacts(line: Uint8Array, memory: ReplyMemory): Promise<LineFacts | null> {
    return this.#doCopied(line, memory, (bytes) => ({ type: 'line-facts', bytes }));
  }

  /** @throws GatewayError `overloaded`, also for want of memory for a copy */
  takeApart(line: Uint8Array, memory: ReplyMemory): Promise<LineApart | null> {
    return this.#doCopied(line, memory, (bytes) => ({ type: 'line-apart', bytes }));
  }

  /** @throws GatewayError `overloaded`, also for want of memory for a copy */
  takePart(line: Uint8Array, place: PartPlace, memory: ReplyMemory): Promise<WholePart | null> {
    return this.#doCopied(line, memory, (bytes) => ({ type: 'line-part', place, bytes }));
  }

  /** @throws GatewayError `overloaded`, also for want of memory for a copy */
  frameLine({ line, ...stands }: LargeLine, memory: ReplyMemory): Promise<LargeFrames | null> {
    return this.#doCopied(line, memory, (bytes) => ({
      type: 'line-frames',
      large: { ...stands, line: bytes },
    }));
  }

  /** The line stays where it is; it is copied when it has its place, not while it waits. */
  async #doCopied<T>(
    line: Uint8Array,
    memory: ReplyMemory,
    toTask: (bytes: Uint8Array) => ReplyTask,
  ): Promise<T | null> {
    return this.#do(async () => {
      memory.hold(line.length);
      try {
        const bytes = new Uint8Array(line);
        return await this.#runTask<T>(toTask(bytes), [bytes]);
      } finally {
        memory.drop(line.length);
      }
    });
  }

  async #do<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #runTask<T>(task: ReplyTask, moved: readonly Uint8Array[]): Promise<T | null> {
    try {
      return await this.#run<T>(task, moved.flatMap(toBuffer));
    } catch {
      // The thread died of this reply or of another one, or it was told to end.
      throw cannotRead();
    }
  }

  #enter(): Promise<void> {
    if (this.#running < MAX_RUNNING) {
      this.#running += 1;
      return Promise.resolve();
    }
    if (this.#waiting.length >= MAX_WAITING) return Promise.reject(tooManyLarge());
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Its place goes to whoever waits longest. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running -= 1;
  }
}

function toBuffer({ buffer }: Uint8Array): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer ? [buffer] : [];
}

import type { EmbedReply, EmbedRoute } from '../ollama/replies/rebuild-embed-reply.ts';
import type { LineApart } from '../ollama/replies/line-pieces.ts';
import type { LineFacts } from '../ollama/replies/line-facts.ts';
import type { ReplyTask } from '../ollama/replies/reply-task.ts';
import { cannotRead, tooManyLarge } from './failures.ts';

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
 * queue in front of the threads, in order of arrival. Bytes that are given are given away. All
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
  rebuildEmbed(route: EmbedRoute, segments: readonly Uint8Array[]): Promise<EmbedReply | null> {
    return this.#do<EmbedReply>({ type: 'embed-reply', route, segments }, segments);
  }

  /** @throws GatewayError `overloaded` */
  readFacts(line: Uint8Array): Promise<LineFacts | null> {
    return this.#do<LineFacts>({ type: 'line-facts', bytes: line }, [line]);
  }

  /** @throws GatewayError `overloaded` */
  takeApart(line: Uint8Array): Promise<LineApart | null> {
    return this.#do<LineApart>({ type: 'line-apart', bytes: line }, [line]);
  }

  async #do<T>(task: ReplyTask, bytes: readonly Uint8Array[]): Promise<T | null> {
    await this.#enter();
    try {
      return await this.#run<T>(task, bytes.flatMap(toBuffer));
    } catch {
      // The thread died of this reply or of another one, or it was told to end.
      throw cannotRead();
    } finally {
      this.#leave();
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

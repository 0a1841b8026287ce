import type { Usage } from '../../ollama/replies/read-usage.ts';
import type { StreamOptions } from './frames.ts';
import { toReplyHead } from './reply-head.ts';
import type { ReplyObject } from './reply-head.ts';
import { DONE_FRAME } from './sse.ts';
import { toOpenAiUsage } from './usage.ts';

/** They end a line for some who read streams, and JSON.stringify leaves them as they are; Go does not. */
const LINE_ENDS = /[\u2028\u2029]/g;

/** What is the same in every chunk of a stream, as text. */
export class ChunkEnvelope {
  /** What stands before and after the one choice of a chunk. */
  readonly before: string;
  readonly after: string;
  readonly #includeUsage: boolean;

  constructor(object: ReplyObject, options: StreamOptions, createdS: number) {
    const { id, model, includeUsage } = options;
    this.before = `data: ${toReplyHead({ object, id, model, createdS })},"choices":[`;
    this.#includeUsage = includeUsage;
    // OpenAI: with `include_usage` every chunk has the member, and only the last one its value.
    this.after = includeUsage ? '],"usage":null}\n\n' : ']}\n\n';
  }

  wrap(choice: object): string {
    return this.before + toJsonLine(choice) + this.after;
  }

  /** What follows the last choice: the usage if it is wanted, and the end. */
  close(usage: Usage): string {
    if (!this.#includeUsage) return DONE_FRAME;
    return `${this.before}],"usage":${JSON.stringify(toOpenAiUsage(usage))}}\n\n${DONE_FRAME}`;
  }
}

function toJsonLine(choice: object): string {
  return JSON.stringify(choice).replace(LINE_ENDS, (end) =>
    end === '\u2028' ? '\\u2028' : '\\u2029',
  );
}

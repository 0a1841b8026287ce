import { readLineFacts } from '../ollama/replies/line-facts.ts';
import { takeApart } from '../ollama/replies/line-pieces.ts';
import { parseLine } from '../ollama/replies/parse-line.ts';
import { rebuildEmbedReply } from '../ollama/replies/rebuild-embed-reply.ts';
import type { EmbedReply, EmbedRoute } from '../ollama/replies/rebuild-embed-reply.ts';
import { frameLargeLine } from '../openai/replies/frame-large-line.ts';
import type { LargeLine } from '../openai/replies/frame-large-line.ts';
import { rebuildOpenAiEmbeddings } from '../openai/replies/rebuild-embeddings.ts';
import type { EmbeddingsOptions } from '../openai/replies/rebuild-embeddings.ts';
import { toMovablePart, toWholePart } from '../openai/replies/whole-part.ts';
import type { PartPlace } from '../openai/replies/whole-part.ts';

/** The form of a reply of embeddings: a native one, or OpenAI's. Plain data. */
export type EmbedForm =
  | { readonly dialect: 'native'; readonly route: EmbedRoute; readonly inputs: number }
  | ({ readonly dialect: 'openai' } & EmbeddingsOptions);

/** What is read of a large reply away from the thread that streams (SPEC §2.1). Plain data. */
export type ReplyTask =
  | {
      readonly type: 'embed-reply';
      readonly form: EmbedForm;
      readonly segments: readonly Uint8Array[];
    }
  | { readonly type: 'line-facts'; readonly bytes: Uint8Array }
  | { readonly type: 'line-apart'; readonly bytes: Uint8Array }
  | { readonly type: 'line-part'; readonly place: PartPlace; readonly bytes: Uint8Array }
  | { readonly type: 'line-frames'; readonly large: LargeLine };

/** The thread's half; null: it is no such reply. */
export function runReplyTask(task: ReplyTask): object | null {
  switch (task.type) {
    case 'embed-reply':
      return rebuildEmbeddings(task.form, Buffer.concat(task.segments));
    case 'line-facts':
      return readLineFacts(task.bytes);
    case 'line-apart':
      return takeApart(task.bytes);
    case 'line-part': {
      const line = parseLine(task.bytes);
      return line && toMovablePart(toWholePart(line, task.place));
    }
    case 'line-frames':
      return frameLargeLine(task.large);
  }
}

/** A whole reply in the form that its client wants; null: it is none. */
export function rebuildEmbeddings(form: EmbedForm, bytes: Uint8Array): EmbedReply | null {
  return form.dialect === 'native'
    ? rebuildEmbedReply(form, bytes)
    : rebuildOpenAiEmbeddings(bytes, form);
}

/** The buffers in a result that are its alone and may move. */
export function listBuffers(result: object): ArrayBuffer[] {
  return Object.values(result).flatMap((value: unknown) => {
    if (value instanceof Uint8Array) return isWhole(value) ? [value.buffer] : [];
    return typeof value === 'object' && value !== null ? listBuffers(value) : [];
  });
}

function isWhole(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer && bytes.buffer.byteLength === bytes.byteLength;
}

import { readLineFacts } from './line-facts.ts';
import type { LineFacts } from './line-facts.ts';
import { takeApart } from './line-pieces.ts';
import type { LineApart } from './line-pieces.ts';
import { rebuildEmbedReply } from './rebuild-embed-reply.ts';
import type { EmbedReply, EmbedRoute } from './rebuild-embed-reply.ts';

/** What is read of a large reply away from the thread that streams (SPEC §2.1). Plain data. */
export type ReplyTask =
  | {
      readonly type: 'embed-reply';
      readonly route: EmbedRoute;
      readonly segments: readonly Uint8Array[];
    }
  | { readonly type: 'line-facts'; readonly bytes: Uint8Array }
  | { readonly type: 'line-apart'; readonly bytes: Uint8Array };

/** The thread's half; null: it is no such reply. */
export function runReplyTask(task: ReplyTask): EmbedReply | LineFacts | LineApart | null {
  if (task.type === 'embed-reply') {
    return rebuildEmbedReply(task.route, Buffer.concat(task.segments));
  }
  return task.type === 'line-facts' ? readLineFacts(task.bytes) : takeApart(task.bytes);
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

import { runBodyTask } from '../lib/http/body-task.ts';
import type { BodyOutcome, BodyTask } from '../lib/http/body-task.ts';
import { rebuildEmbedReply } from '../lib/ollama/replies/rebuild-embed-reply.ts';
import type { EmbedReply, EmbedRoute } from '../lib/ollama/replies/rebuild-embed-reply.ts';

interface ReplyTask {
  readonly type: 'embed-reply';
  readonly route: EmbedRoute;
  readonly bytes: Uint8Array;
}

/** Entry of the `bodies` pool: large bodies of requests and replies are parsed and made anew here. */
export default function run(task: BodyTask | ReplyTask): BodyOutcome | EmbedReply | null {
  return 'type' in task ? rebuildEmbedReply(task.route, task.bytes) : runBodyTask(task);
}

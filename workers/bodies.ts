import { runBodyTask } from '../lib/http/body-task.ts';
import type { BodyTask } from '../lib/http/body-task.ts';
import { listBuffers, runReplyTask } from '../lib/relay/reply-task.ts';
import type { ReplyTask } from '../lib/relay/reply-task.ts';
import { moveBuffers } from '../lib/threads/move-buffers.ts';

/** Entry of the `bodies` pool: large bodies of requests and replies are parsed and made anew here. */
export default function run(task: BodyTask | ReplyTask): unknown {
  if (!('type' in task)) return runBodyTask(task);
  const result = runReplyTask(task);
  return result && moveBuffers(result, listBuffers(result));
}

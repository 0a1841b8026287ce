import { checkFreeForm } from './free-form.ts';
import { readKeepAlive } from './keep-alive.ts';
import { checkKeys, knownFields } from './known-fields.ts';
import { MemberWriter } from './member-writer.ts';
import type { NativeRequest } from './native-request.ts';
import { parseBody } from './parse-body.ts';
import { readMessages } from './read-messages.ts';
import { readOptions } from './read-options.ts';
import { readModel, toIdle, writeFormat, writeThink, writeTopLogprobs } from './read-shared.ts';
import { readTools } from './read-tools.ts';
import { readFlag } from './read-values.ts';

const CHAT = knownFields(
  'model',
  'messages',
  'stream',
  'format',
  'keep_alive',
  'tools',
  'options',
  'think',
  'truncate',
  'shift',
  'logprobs',
  'top_logprobs',
  '_debug_render_only',
);

interface ChatBody {
  readonly model?: unknown;
  readonly messages?: unknown;
  readonly stream?: unknown;
  readonly format?: unknown;
  readonly keep_alive?: unknown;
  readonly tools?: unknown;
  readonly options?: unknown;
  readonly think?: unknown;
  readonly truncate?: unknown;
  readonly shift?: unknown;
  readonly logprobs?: unknown;
  readonly top_logprobs?: unknown;
  readonly _debug_render_only?: unknown;
}

/** The body of POST /api/chat, made anew. @throws GatewayError for what SPEC §2.1 refuses. */
export function rebuildChat(bytes: Uint8Array): NativeRequest {
  const object = parseBody(bytes);
  checkKeys(object, CHAT, '');
  const body: ChatBody = object;
  const model = readModel(body.model);
  const keepAlive = readKeepAlive(body.keep_alive);
  checkFreeForm(body._debug_render_only, '_debug_render_only');

  const writer = new MemberWriter();
  const messages = readMessages(body.messages, writer);
  writer.addMessages(messages);
  writer.addJson('tools', readTools(body.tools));
  writeFormat(body.format, writer);
  writeThink(body.think, writer);
  writer.add('truncate', readFlag(body.truncate, '', 'truncate'));
  writer.add('logprobs', readFlag(body.logprobs, '', 'logprobs'));
  writeTopLogprobs(body.top_logprobs, writer);

  return {
    model,
    streamed: readFlag(body.stream, '', 'stream') ?? true,
    options: readOptions(body.options),
    keepAlive,
    shift: readFlag(body.shift, '', 'shift') ?? null,
    idle: toIdle(messages === undefined || messages.length === 0, keepAlive),
    ...writer.finish(),
  };
}

import { checkKeys, knownFields } from '../../ollama/requests/known-fields.ts';
import { MemberWriter } from '../../ollama/requests/member-writer.ts';
import { parseBody } from '../../ollama/requests/parse-body.ts';
import { readModel, writeTopLogprobs } from '../../ollama/requests/read-shared.ts';
import { readFlag, readInteger } from '../../ollama/requests/read-values.ts';
import { readMessages } from './read-messages.ts';
import { readOfferedTools } from './read-offered-tools.ts';
import { readSampling, SAMPLING_FIELDS, toOptions } from './read-sampling.ts';
import type { SamplingBody } from './read-sampling.ts';
import { readStreaming, STREAMING_FIELDS } from './read-streaming.ts';
import type { StreamingBody } from './read-streaming.ts';
import type { TranslatedRequest } from './translated-request.ts';
import { REASONING_FIELDS, writeReasoning } from './write-reasoning.ts';
import type { ReasoningBody } from './write-reasoning.ts';
import { writeResponseFormat } from './write-response-format.ts';

const CHAT = knownFields(
  ...SAMPLING_FIELDS,
  ...STREAMING_FIELDS,
  ...REASONING_FIELDS,
  'model',
  'messages',
  'max_completion_tokens',
  'response_format',
  'tools',
  'tool_choice',
  'logprobs',
  'top_logprobs',
);

interface ChatBody extends SamplingBody, StreamingBody, ReasoningBody {
  readonly model?: unknown;
  readonly messages?: unknown;
  readonly max_completion_tokens?: unknown;
  readonly response_format?: unknown;
  readonly tools?: unknown;
  readonly tool_choice?: unknown;
  readonly logprobs?: unknown;
  readonly top_logprobs?: unknown;
}

/**
 * The body of POST /v1/chat/completions as that of /api/chat (SPEC §8). Fields that Ollama cannot
 * serve are ignored as it ignores them: `n`, `logit_bias`, `parallel_tool_calls` and the like.
 * @throws GatewayError for what SPEC §2.1 refuses; `param` is the client's field
 */
export function translateChat(bytes: Uint8Array): TranslatedRequest {
  const object = parseBody(bytes);
  checkKeys(object, CHAT, '');
  const body: ChatBody = object;
  const model = readModel(body.model);
  const streaming = readStreaming(body);
  const options = readOptions(body);

  const writer = new MemberWriter();
  writer.addMessages(readMessages(body.messages, writer));
  writer.addJson('tools', readOfferedTools(body.tools, body.tool_choice));
  writeResponseFormat(body.response_format, writer);
  writeReasoning(body, writer);
  if (readFlag(body.logprobs, '', 'logprobs') === true) writer.add('logprobs', true);
  writeTopLogprobs(body.top_logprobs, writer);
  return {
    model,
    options,
    keepAlive: null,
    shift: null,
    idle: null,
    ...streaming,
    ...writer.finish(),
  };
}

/** `max_completion_tokens` is the newer name and wins. */
function readOptions(body: ChatBody): Readonly<Record<string, unknown>> {
  const sampling = readSampling(body);
  const most = readInteger(body.max_completion_tokens, '', 'max_completion_tokens');
  return toOptions({ ...sampling, num_predict: most ?? sampling.num_predict });
}

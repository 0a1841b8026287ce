import { toFieldFault } from '../../ollama/requests/field-faults.ts';
import { checkKeys, knownFields } from '../../ollama/requests/known-fields.ts';
import { MemberWriter } from '../../ollama/requests/member-writer.ts';
import { parseBody } from '../../ollama/requests/parse-body.ts';
import { readModel, toIdle, writeTopLogprobs } from '../../ollama/requests/read-shared.ts';
import { readInteger, readText } from '../../ollama/requests/read-values.ts';
import { readSampling, SAMPLING_FIELDS, toOptions } from './read-sampling.ts';
import type { SamplingBody } from './read-sampling.ts';
import { readStreaming, STREAMING_FIELDS } from './read-streaming.ts';
import type { StreamingBody } from './read-streaming.ts';
import type { TranslatedRequest } from './translated-request.ts';

const COMPLETION = knownFields(
  ...SAMPLING_FIELDS,
  ...STREAMING_FIELDS,
  'model',
  'prompt',
  'suffix',
  'logprobs',
);

interface CompletionBody extends SamplingBody, StreamingBody {
  readonly model?: unknown;
  readonly prompt?: unknown;
  readonly suffix?: unknown;
  readonly logprobs?: unknown;
}

/**
 * The body of POST /v1/completions as that of /api/generate (SPEC §8). Fields that Ollama cannot
 * serve are ignored as it ignores them: `n`, `best_of`, `echo`, `logit_bias`.
 * @throws GatewayError for what SPEC §2.1 refuses; `param` is the client's field
 */
export function translateCompletion(bytes: Uint8Array): TranslatedRequest {
  const object = parseBody(bytes);
  checkKeys(object, COMPLETION, '');
  const body: CompletionBody = object;
  const model = readModel(body.model);
  const streaming = readStreaming(body);
  const options = readOptions(body);

  const writer = new MemberWriter();
  const prompt = readPrompt(body.prompt);
  writer.addText('prompt', prompt);
  writer.addText('suffix', readText(body.suffix, '', 'suffix'));
  writeLogprobs(body.logprobs, writer);
  const idle = toIdle(prompt === '', null);
  return { model, options, keepAlive: null, shift: null, idle, ...streaming, ...writer.finish() };
}

/** As Ollama sends them: both penalties always, and a `top_p` of 0 is taken for none. */
function readOptions(body: CompletionBody): Readonly<Record<string, unknown>> {
  const sampling = readSampling(body);
  return toOptions({
    ...sampling,
    top_p: sampling.top_p === 0 ? 1 : sampling.top_p,
    frequency_penalty: sampling.frequency_penalty ?? 0,
    presence_penalty: sampling.presence_penalty ?? 0,
  });
}

/** One text, alone or in a list: several would be several replies, which Ollama has none for. */
function readPrompt(value: unknown): string {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value ?? ''];
  const [prompt] = list;
  if (list.length === 1 && typeof prompt === 'string') return readText(prompt, '', 'prompt') ?? '';
  throw toFieldFault('prompt', 'a string or a list of one string');
}

/** A number of alternatives; 0 asks for nothing. */
function writeLogprobs(value: unknown, writer: MemberWriter): void {
  const count = readInteger(value, '', 'logprobs') ?? 0;
  if (count <= 0) return;
  writer.add('logprobs', true);
  writeTopLogprobs(count, writer, 'logprobs');
}

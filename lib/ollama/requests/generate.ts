import { checkFreeForm } from './free-form.ts';
import { readKeepAlive } from './keep-alive.ts';
import { checkKeys, knownFields } from './known-fields.ts';
import { MemberWriter } from './member-writer.ts';
import type { NativeRequest } from './native-request.ts';
import { parseBody } from './parse-body.ts';
import { readImages } from './read-images.ts';
import { readOptions } from './read-options.ts';
import { readModel, toIdle, writeFormat, writeThink, writeTopLogprobs } from './read-shared.ts';
import { readFlag, readIntegers, readText } from './read-values.ts';

const GENERATE = knownFields(
  'model',
  'prompt',
  'suffix',
  'system',
  'template',
  'context',
  'stream',
  'raw',
  'format',
  'keep_alive',
  'images',
  'options',
  'think',
  'truncate',
  'shift',
  'logprobs',
  'top_logprobs',
  '_debug_render_only',
);

interface GenerateBody {
  readonly model?: unknown;
  readonly prompt?: unknown;
  readonly suffix?: unknown;
  readonly system?: unknown;
  readonly template?: unknown;
  readonly context?: unknown;
  readonly stream?: unknown;
  readonly raw?: unknown;
  readonly format?: unknown;
  readonly keep_alive?: unknown;
  readonly images?: unknown;
  readonly options?: unknown;
  readonly think?: unknown;
  readonly truncate?: unknown;
  readonly shift?: unknown;
  readonly logprobs?: unknown;
  readonly top_logprobs?: unknown;
  readonly _debug_render_only?: unknown;
}

/** The body of POST /api/generate, made anew. @throws GatewayError for what SPEC §2.1 refuses. */
export function rebuildGenerate(bytes: Uint8Array): NativeRequest {
  const object = parseBody(bytes);
  checkKeys(object, GENERATE, '');
  const body: GenerateBody = object;
  const model = readModel(body.model);
  const keepAlive = readKeepAlive(body.keep_alive);
  checkFreeForm(body._debug_render_only, '_debug_render_only');

  const writer = new MemberWriter();
  const prompt = readText(body.prompt, '', 'prompt') ?? '';
  writer.addText('prompt', prompt);
  writer.addText('suffix', readText(body.suffix, '', 'suffix'));
  writer.addText('system', readText(body.system, '', 'system'));
  writer.addText('template', readText(body.template, '', 'template'));
  writer.addContext(readIntegers(body.context, '', 'context'));
  writer.addImages(readImages(body.images, '', 'images'));
  writeFormat(body.format, writer);
  writeThink(body.think, writer);
  writer.add('raw', readFlag(body.raw, '', 'raw'));
  writer.add('truncate', readFlag(body.truncate, '', 'truncate'));
  writer.add('logprobs', readFlag(body.logprobs, '', 'logprobs'));
  writeTopLogprobs(body.top_logprobs, writer);

  return {
    model,
    streamed: readFlag(body.stream, '', 'stream') ?? true,
    options: readOptions(body.options),
    keepAlive,
    shift: readFlag(body.shift, '', 'shift') ?? null,
    idle: toIdle(prompt === '', keepAlive),
    ...writer.finish(),
  };
}

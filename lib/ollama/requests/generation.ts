import { checkFreeForm } from './free-form.ts';
import { readKeepAlive } from './keep-alive.ts';
import type { MemberWriter } from './member-writer.ts';
import type { NativeRequest } from './native-request.ts';
import { readOptions } from './read-options.ts';
import { readModel, writeFormat, writeThink, writeTopLogprobs } from './read-shared.ts';
import { readFlag } from './read-values.ts';

/** Fields that chat and generate have in common. */
export const GENERATION_FIELDS = [
  'model',
  'stream',
  'format',
  'keep_alive',
  'options',
  'think',
  'truncate',
  'shift',
  'logprobs',
  'top_logprobs',
  '_debug_render_only',
] as const;

export type GenerationBody = Readonly<Partial<Record<(typeof GENERATION_FIELDS)[number], unknown>>>;

/** What of them decides over the request. @throws GatewayError that names the field */
export function readGeneration(
  body: GenerationBody,
): Pick<NativeRequest, 'model' | 'streamed' | 'options' | 'keepAlive' | 'shift'> {
  const model = readModel(body.model);
  checkFreeForm(body._debug_render_only, '_debug_render_only');
  return {
    model,
    streamed: readFlag(body.stream, '', 'stream') ?? true,
    options: readOptions(body.options),
    keepAlive: readKeepAlive(body.keep_alive),
    shift: readFlag(body.shift, '', 'shift') ?? null,
  };
}

/** What of them goes upstream as it is. @throws GatewayError that names the field */
export function writeGeneration(body: GenerationBody, writer: MemberWriter): void {
  writeFormat(body.format, writer);
  writeThink(body.think, writer);
  writer.add('truncate', readFlag(body.truncate, '', 'truncate'));
  writer.add('logprobs', readFlag(body.logprobs, '', 'logprobs'));
  writeTopLogprobs(body.top_logprobs, writer);
}

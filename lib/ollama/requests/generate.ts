import { GENERATION_FIELDS, readGeneration, writeGeneration } from './generation.ts';
import type { GenerationBody } from './generation.ts';
import { checkKeys, knownFields } from './known-fields.ts';
import { MemberWriter } from './member-writer.ts';
import type { NativeRequest } from './native-request.ts';
import { parseBody } from './parse-body.ts';
import { readImages } from './read-images.ts';
import { toIdle } from './read-shared.ts';
import { readFlag, readIntegers, readText } from './read-values.ts';

const GENERATE = knownFields(
  ...GENERATION_FIELDS,
  'prompt',
  'suffix',
  'system',
  'template',
  'context',
  'raw',
  'images',
);

interface GenerateBody extends GenerationBody {
  readonly prompt?: unknown;
  readonly suffix?: unknown;
  readonly system?: unknown;
  readonly template?: unknown;
  readonly context?: unknown;
  readonly raw?: unknown;
  readonly images?: unknown;
}

/** The body of POST /api/generate, made anew. @throws GatewayError for what SPEC §2.1 refuses. */
export function rebuildGenerate(bytes: Uint8Array): NativeRequest {
  const object = parseBody(bytes);
  checkKeys(object, GENERATE, '');
  const body: GenerateBody = object;
  const generation = readGeneration(body);

  const writer = new MemberWriter();
  const prompt = readText(body.prompt, '', 'prompt') ?? '';
  writer.addText('prompt', prompt);
  writer.addText('suffix', readText(body.suffix, '', 'suffix'));
  writer.addText('system', readText(body.system, '', 'system'));
  writer.addTemplate(readText(body.template, '', 'template'));
  writer.addContext(readIntegers(body.context, '', 'context'));
  writer.addImages(readImages(body.images, '', 'images'));
  writer.add('raw', readFlag(body.raw, '', 'raw'));
  writeGeneration(body, writer);

  return { ...generation, idle: toIdle(prompt === '', generation.keepAlive), ...writer.finish() };
}

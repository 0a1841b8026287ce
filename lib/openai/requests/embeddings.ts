import { toFieldFault } from '../../ollama/requests/field-faults.ts';
import { checkKeys, knownFields } from '../../ollama/requests/known-fields.ts';
import { MemberWriter } from '../../ollama/requests/member-writer.ts';
import { parseBody } from '../../ollama/requests/parse-body.ts';
import { readModel } from '../../ollama/requests/read-shared.ts';
import { readInteger, readText, readTexts } from '../../ollama/requests/read-values.ts';
import type { ReplyWishes } from '../reply-wishes.ts';
import type { TranslatedRequest } from './translated-request.ts';

const EMBEDDINGS = knownFields('model', 'input', 'dimensions', 'encoding_format');

interface EmbeddingsBody {
  readonly model?: unknown;
  readonly input?: unknown;
  readonly dimensions?: unknown;
  readonly encoding_format?: unknown;
}

/**
 * The body of POST /v1/embeddings as that of /api/embed (SPEC §8).
 * @throws GatewayError for what SPEC §2.1 refuses; `param` is the client's field
 */
export function translateEmbeddings(bytes: Uint8Array): TranslatedRequest {
  const object = parseBody(bytes);
  checkKeys(object, EMBEDDINGS, '');
  const body: EmbeddingsBody = object;
  const model = readModel(body.model);
  const encoding = readEncoding(body.encoding_format);

  const writer = new MemberWriter();
  writeInput(body.input, writer);
  writer.add('dimensions', readInteger(body.dimensions, '', 'dimensions'));
  return {
    model,
    streamed: false,
    options: {},
    keepAlive: null,
    shift: null,
    idle: null,
    wishes: { includeUsage: false, encoding },
    ...writer.finish(),
  };
}

/** An empty text is a text to embed here, where to Ollama alone it would be nothing. */
function writeInput(value: unknown, writer: MemberWriter): void {
  if (typeof value === 'string') {
    const text = readText(value, '', 'input') ?? '';
    if (text === '') writer.addTexts('input', ['']);
    else writer.addText('input', text);
    return;
  }
  const wanted = 'a string or a list of at least one string; token ids are not taken';
  if (!Array.isArray(value) || value.length === 0) throw toFieldFault('input', wanted);
  if (typeof value[0] !== 'string') throw toFieldFault('input', wanted);
  writer.addTexts('input', readTexts(value, '', 'input'));
}

/** In letters of any case; an empty text means none was named. */
function readEncoding(value: unknown): ReplyWishes['encoding'] {
  const format = readText(value, '', 'encoding_format')?.toLowerCase() ?? '';
  if (format === 'base64') return 'base64';
  if (format === 'float' || format === '') return 'float';
  throw toFieldFault('encoding_format', '"float" or "base64"');
}

import { toFieldFault } from './field-faults.ts';
import { readKeepAlive } from './keep-alive.ts';
import { checkKeys, knownFields } from './known-fields.ts';
import { MemberWriter } from './member-writer.ts';
import type { NativeRequest } from './native-request.ts';
import { parseBody } from './parse-body.ts';
import { readOptions } from './read-options.ts';
import { readModel, toIdle } from './read-shared.ts';
import { readFlag, readInteger, readText, readTexts } from './read-values.ts';

const EMBED = knownFields('model', 'input', 'truncate', 'dimensions', 'options', 'keep_alive');
const EMBEDDINGS = knownFields('model', 'prompt', 'options', 'keep_alive');

interface EmbedBody {
  readonly model?: unknown;
  readonly input?: unknown;
  readonly truncate?: unknown;
  readonly dimensions?: unknown;
  readonly options?: unknown;
  readonly keep_alive?: unknown;
}

interface EmbeddingsBody {
  readonly model?: unknown;
  readonly prompt?: unknown;
  readonly options?: unknown;
  readonly keep_alive?: unknown;
}

/** The body of POST /api/embed, made anew. @throws GatewayError for what SPEC §2.1 refuses. */
export function rebuildEmbed(bytes: Uint8Array): NativeRequest {
  const object = parseBody(bytes);
  checkKeys(object, EMBED, '');
  const body: EmbedBody = object;
  const model = readModel(body.model);

  const writer = new MemberWriter();
  const empty = writeInput(body.input, writer);
  writer.add('truncate', readFlag(body.truncate, '', 'truncate'));
  writer.add('dimensions', readInteger(body.dimensions, '', 'dimensions'));
  return finish(model, body, writer, empty);
}

/** The body of the old POST /api/embeddings: one prompt. @throws GatewayError as above. */
export function rebuildEmbeddings(bytes: Uint8Array): NativeRequest {
  const object = parseBody(bytes);
  checkKeys(object, EMBEDDINGS, '');
  const body: EmbeddingsBody = object;
  const model = readModel(body.model);

  const writer = new MemberWriter();
  const prompt = readText(body.prompt, '', 'prompt') ?? '';
  writer.addText('prompt', prompt);
  return finish(model, body, writer, prompt === '');
}

/** Returns whether there is nothing to embed; `[""]` is something. */
function writeInput(value: unknown, writer: MemberWriter): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === 'string') {
    writer.addText('input', readText(value, '', 'input'));
    return value === '';
  }
  if (!Array.isArray(value)) throw toFieldFault('input', 'a string or a list of strings');
  writer.addTexts('input', readTexts(value, '', 'input'));
  return value.length === 0;
}

function finish(
  model: string,
  body: { readonly options?: unknown; readonly keep_alive?: unknown },
  writer: MemberWriter,
  empty: boolean,
): NativeRequest {
  const keepAlive = readKeepAlive(body.keep_alive);
  return {
    model,
    streamed: false,
    options: readOptions(body.options),
    keepAlive,
    shift: null,
    idle: toIdle(empty, keepAlive),
    ...writer.finish(),
  };
}

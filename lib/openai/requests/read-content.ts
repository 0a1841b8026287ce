import { isObject } from '../../ollama/json-object.ts';
import type { JsonObject } from '../../ollama/json-object.ts';
import { nameField, toFieldFault } from '../../ollama/requests/field-faults.ts';
import { checkKeys, knownFields } from '../../ollama/requests/known-fields.ts';
import { readText } from '../../ollama/requests/read-values.ts';
import { readAudio, readImage } from './read-media.ts';

/** A message's content as Ollama takes it: one text, and images and sounds beside it. */
export interface NativeContent {
  readonly text: string;
  /** In base64; undefined where there are none. */
  readonly images: string[] | undefined;
}

const KINDS = ['text', 'image_url', 'input_audio'] as const;

type Kind = (typeof KINDS)[number];

const KNOWN = {
  text: knownFields('type', 'text'),
  image_url: knownFields('type', 'image_url'),
  input_audio: knownFields('type', 'input_audio'),
} as const;

const UNKNOWN = knownFields('type');

/** A text, or a list of parts that stay one message. @throws GatewayError that names the part */
export function readContent(value: unknown, at: string): NativeContent {
  const field = nameField(at, 'content');
  if (typeof value === 'string') {
    return { text: readText(value, at, 'content') ?? '', images: undefined };
  }
  if (!Array.isArray(value)) throw toFieldFault(field, 'a string or a list of parts');

  const texts: string[] = [];
  const images: string[] = [];
  (value as unknown[]).forEach((part, index) => {
    readPart(part, `${field}[${index}]`, texts, images);
  });
  return { text: texts.join(''), images: images.length === 0 ? undefined : images };
}

function readPart(value: unknown, at: string, texts: string[], images: string[]): void {
  if (!isObject(value)) throw toFieldFault(at, 'an object');
  const kind = readKind(value, at);
  if (kind === 'image_url') images.push(readImage(value['image_url'], nameField(at, kind)));
  else if (kind === 'input_audio') images.push(readAudio(value[kind], nameField(at, kind)));
  else texts.push(readPartText(value['text'], at));
}

/** Which part it is; only the field of that name is read of it, and every other is unknown. */
function readKind(part: JsonObject, at: string): Kind {
  const type = readText(part['type'], at, 'type');
  const kind = KINDS.find((known) => known === type);
  checkKeys(part, kind === undefined ? UNKNOWN : KNOWN[kind], at);
  if (kind !== undefined) return kind;
  throw toFieldFault(nameField(at, 'type'), '"text", "image_url" or "input_audio"');
}

function readPartText(value: unknown, at: string): string {
  const text = readText(value, at, 'text');
  if (text === undefined) throw toFieldFault(nameField(at, 'text'), 'a string');
  return text;
}

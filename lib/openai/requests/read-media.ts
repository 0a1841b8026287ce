import { isObject } from '../../ollama/json-object.ts';
import { toFieldFault } from '../../ollama/requests/field-faults.ts';
import { checkKeys, knownFields } from '../../ollama/requests/known-fields.ts';
import { isBase64 } from '../../ollama/requests/read-images.ts';

const IMAGE = knownFields('url');
const AUDIO = knownFields('data');

interface ImageBody {
  readonly url?: unknown;
}

interface AudioBody {
  readonly data?: unknown;
}

/** What Ollama's own translation takes, letter by letter. */
const PREFIXES = [
  'data:image/jpeg;base64,',
  'data:image/jpg;base64,',
  'data:image/png;base64,',
  'data:image/webp;base64,',
  'data:;base64,',
] as const;

const DATA_URL = 'a data URL of a JPEG, PNG or WebP image in base64';
const NOT_FETCHED = `${DATA_URL}: images are not fetched from other servers`;

/** `image_url` of a part, an object or the bare URL; returns the base64. @throws GatewayError */
export function readImage(value: unknown, field: string): string {
  if (!isObject(value)) return readDataUrl(value, field);
  checkKeys(value, IMAGE, field);
  const body: ImageBody = value;
  return readDataUrl(body.url, `${field}.url`);
}

/** `input_audio` of a part, which travels as images do; returns the base64. @throws GatewayError */
export function readAudio(value: unknown, field: string): string {
  if (!isObject(value)) throw toFieldFault(field, 'an object');
  checkKeys(value, AUDIO, field);
  const { data }: AudioBody = value;
  if (typeof data === 'string' && isBase64(data)) return data;
  throw toFieldFault(`${field}.data`, 'base64 without a data URL prefix');
}

function readDataUrl(value: unknown, field: string): string {
  if (typeof value !== 'string') throw toFieldFault(field, DATA_URL);
  const prefix = PREFIXES.find((known) => value.startsWith(known));
  const image = prefix === undefined ? '' : value.slice(prefix.length);
  if (isBase64(image)) return image;
  throw toFieldFault(field, /^https?:/i.test(value) ? NOT_FETCHED : DATA_URL);
}

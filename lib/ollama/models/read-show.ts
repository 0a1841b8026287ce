import { isObject } from '../json-object.ts';
import type { JsonObject } from '../json-object.ts';
import { copyFacts } from './copy-facts.ts';
import { readText, withoutGaps } from './fields.ts';
import { holdsPath } from './looks-like-path.ts';
import { readCapabilities, readDetails } from './read-details.ts';

/** What the gateway keeps of a model's /api/show. */
export interface ShownModel {
  /**
   * What may be told to clients: no modelfile, system text, template, license, messages or path
   * (SPEC §2).
   */
  readonly shown: JsonObject;
  /** UTF-8 bytes of what the model itself adds to each prompt: an upper bound of its tokens. */
  readonly ownTextBytes: number;
  readonly embedding: boolean;
}

/** What Ollama's templates add around one message, at most; as for messages of a request. */
const BYTES_PER_MESSAGE = 8;
const MAX_PARAMETERS_LENGTH = 8_192;
/** What a client is shown of one model; 1,000 models of this size fit into shared memory. */
const MAX_FACTS_BYTES = 16_384;

/** The reply of /api/show, or undefined if it is none. */
export function readShow(reply: unknown): ShownModel | undefined {
  if (!isObject(reply)) return undefined;
  const capabilities = readCapabilities(reply['capabilities']);
  return {
    shown: copyShown(reply),
    ownTextBytes:
      countBytes(reply['system']) +
      countBytes(reply['template']) +
      countMessageBytes(reply['messages']),
    embedding: capabilities?.includes('embedding') ?? false,
  };
}

/** Copies what may be told; given its own result, it changes nothing. */
export function copyShown(reply: JsonObject): JsonObject {
  const shown = withoutGaps({
    parameters: readParameters(reply['parameters']),
    details: readDetails(reply['details']),
    model_info: copyFacts(reply['model_info']),
    projector_info: copyFacts(reply['projector_info']),
    capabilities: readCapabilities(reply['capabilities']),
    modified_at: readText(reply['modified_at']),
  });
  if (Buffer.byteLength(JSON.stringify(shown)) <= MAX_FACTS_BYTES) return shown;
  return withoutGaps({
    details: shown['details'],
    model_info: {},
    capabilities: shown['capabilities'],
    modified_at: shown['modified_at'],
  });
}

function readParameters(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > MAX_PARAMETERS_LENGTH) return undefined;
  return holdsPath(value) ? undefined : value;
}

function countBytes(value: unknown): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : 0;
}

/** A Modelfile's MESSAGE lines are put before those of every chat. */
function countMessageBytes(value: unknown): number {
  if (!Array.isArray(value)) return 0;
  const messages: readonly unknown[] = value;
  return messages.reduce<number>(
    (sum, message) => sum + Buffer.byteLength(JSON.stringify(message)) + BYTES_PER_MESSAGE,
    0,
  );
}

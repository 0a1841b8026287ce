import { GatewayError } from '../../errors/gateway-error.ts';
import { isObject } from '../json-object.ts';
import type { JsonObject } from '../json-object.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Bytes to the one JSON object they must be: strict UTF-8, no byte order mark, nothing after the
 * value. Of duplicate keys the last counts.
 * @throws GatewayError `invalid_request`
 */
export function parseBody(bytes: Uint8Array): JsonObject {
  const value = parseJson(decode(bytes));
  if (!isObject(value)) throw new GatewayError('invalid_request', 'The body is not a JSON object');
  return value;
}

function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw new GatewayError('invalid_request', 'The body begins with a byte order mark');
  }
  try {
    return utf8.decode(bytes);
  } catch {
    throw new GatewayError('invalid_request', 'The body is not valid UTF-8');
  }
}

// The parser's own message is not told: it quotes the body.
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new GatewayError('invalid_request', 'The body is not one valid JSON value');
  }
}

import { GatewayError } from '../errors/gateway-error.ts';

/**
 * The key that a request presents, or undefined. Read from `Authorization: Bearer`, `x-api-key` and
 * `Authorization: Basic` (as the password); never from the query. It is not checked here.
 *
 * @param rawHeaders names and values in turns, as they came
 * @throws GatewayError `invalid_request` when two places hold different values
 */
export function readPresentedKey(rawHeaders: readonly string[]): string | undefined {
  let presented: string | undefined;
  let name = '';
  for (const [at, text] of rawHeaders.entries()) {
    const isName = at % 2 === 0;
    const key = isName ? undefined : readHeader(name, text);
    if (isName) name = text.toLowerCase();
    if (!key) continue;
    if (presented !== undefined && presented !== key) {
      throw new GatewayError('invalid_request', 'two different API keys in one request');
    }
    presented = key;
  }
  return presented;
}

function readHeader(name: string, value: string): string | undefined {
  switch (name) {
    case 'x-api-key':
      return value.trim();
    case 'authorization':
      return readAuthorization(value.trim());
    default:
      return undefined;
  }
}

function readAuthorization(value: string): string | undefined {
  const space = value.indexOf(' ');
  if (space === -1) return undefined;
  const credentials = value.slice(space + 1).trim();
  switch (value.slice(0, space).toLowerCase()) {
    case 'bearer':
      return credentials;
    case 'basic':
      return readPassword(credentials);
    default:
      return undefined;
  }
}

/** RFC 7617: base64 of `user:password`. */
function readPassword(credentials: string): string | undefined {
  const pair = Buffer.from(credentials, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon === -1 ? undefined : pair.slice(colon + 1);
}

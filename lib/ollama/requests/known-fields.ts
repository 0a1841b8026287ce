import { GatewayError } from '../../errors/gateway-error.ts';
import { nameField } from './field-faults.ts';
import { checkUnknownField } from './free-form.ts';

/** The names that Ollama's decoder knows at one place of a request. All are ASCII in lower case. */
type KnownFields = ReadonlySet<string>;

export function knownFields(...names: readonly string[]): KnownFields {
  return new Set(names);
}

/**
 * Looks at every key of an object that is about to be read. Unknown fields pass, to be dropped;
 * what Go would take for a known field is refused: its decoder folds case, with U+017F for s and
 * U+212A for k, so that one body could mean two things.
 * @throws GatewayError `ambiguous_json`, or `invalid_request` for `__proto__` at any depth.
 */
export function checkKeys(object: object, known: KnownFields, at: string): void {
  for (const key in object) {
    if (!known.has(key)) checkUnknown(object as Record<string, unknown>, key, known, at);
  }
}

function checkUnknown(
  object: Readonly<Record<string, unknown>>,
  key: string,
  known: KnownFields,
  at: string,
): void {
  const folded = foldKey(key);
  if (known.has(folded)) {
    const field = nameField(at, folded);
    throw new GatewayError('ambiguous_json', `${field} is given in another spelling`, {
      param: field,
    });
  }
  if (key === '__proto__') {
    const message = 'The body holds a key that is not allowed: __proto__';
    throw new GatewayError('invalid_request', message);
  }
  checkUnknownField(object[key], at);
}

/** Go's folding, for names in ASCII: U+212A is already lowered to k, U+017F is not to s. */
function foldKey(key: string): string {
  return key.toLowerCase().replaceAll('\u017f', 's');
}

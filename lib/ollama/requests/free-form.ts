import { GatewayError } from '../../errors/gateway-error.ts';

/** SPEC §2.1: deeper values are refused; JSON.parse takes any depth, JSON.stringify would overflow. */
const MAX_DEPTH = 64;

/**
 * Checks a value whose form is the client's own business (a JSON Schema, a tool's arguments, an
 * unknown field): not too deep, no `__proto__` key, well-formed text, finite numbers.
 * @throws GatewayError `invalid_request` that names `field`, the field the value belongs to.
 */
export function checkFreeForm(value: unknown, field: string): void {
  check(value, { name: field, param: field }, 1);
}

/** The same of a field that is not known and so has no name of ours. `at`: where it stands. */
export function checkUnknownField(value: unknown, at: string): void {
  check(value, { name: at === '' ? 'an unknown field' : `an unknown field of ${at}` }, 1);
}

interface Field {
  readonly name: string;
  /** Told to OpenAI clients. */
  readonly param?: string;
}

function check(value: unknown, field: Field, depth: number): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw fault(field, 'holds text that is not well-formed Unicode');
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw fault(field, 'holds a number that is too large');
  } else if (typeof value === 'object' && value !== null) {
    if (depth > MAX_DEPTH) throw fault(field, `is nested deeper than ${MAX_DEPTH} levels`);
    if (Array.isArray(value)) for (const item of value) check(item, field, depth + 1);
    else checkMembers(value, field, depth);
  }
}

function checkMembers(value: object, field: Field, depth: number): void {
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') throw fault(field, 'holds a key that is not allowed');
    if (!key.isWellFormed()) throw fault(field, 'holds a key that is not well-formed Unicode');
    check(item, field, depth + 1);
  }
}

function fault({ name, param }: Field, what: string): GatewayError {
  const details = param === undefined ? {} : { param };
  return new GatewayError('invalid_request', `${name} ${what}`, details);
}

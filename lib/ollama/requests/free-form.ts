import { GatewayError } from '../../errors/gateway-error.ts';

/** SPEC §2.1: deeper values are refused; JSON.parse takes any depth, JSON.stringify would overflow. */
const MAX_DEPTH = 64;

/**
 * Checks a value whose form is the client's own business (a JSON Schema, a tool's arguments, an
 * unknown field): not too deep, no `__proto__` key, well-formed text, finite numbers.
 * @throws GatewayError `invalid_request` that names `field`, the field the value belongs to.
 */
export function checkFreeForm(value: unknown, field: string): void {
  check(value, field, 1);
}

function check(value: unknown, field: string, depth: number): void {
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

function checkMembers(value: object, field: string, depth: number): void {
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') throw fault(field, 'holds a key that is not allowed');
    if (!key.isWellFormed()) throw fault(field, 'holds a key that is not well-formed Unicode');
    check(item, field, depth + 1);
  }
}

function fault(field: string, what: string): GatewayError {
  return new GatewayError('invalid_request', `${field} ${what}`, { param: field });
}

import { GatewayError } from '../../errors/gateway-error.ts';

/** Where a field stands: `messages[2].content`, or the bare name at the top. */
export function nameField(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`;
}

/** The 400 for a value of the wrong type or range; names the field, never tells its value. */
export function toFieldFault(field: string, wanted: string): GatewayError {
  return new GatewayError('invalid_request', `${field} must be ${wanted}`, { param: field });
}

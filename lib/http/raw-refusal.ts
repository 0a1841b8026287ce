import { STATUS_CODES } from 'node:http';
import { toErrorBody } from '../errors/error-body.ts';
import type { Dialect } from '../errors/error-body.ts';
import { GatewayError } from '../errors/gateway-error.ts';

/** Whose refusal it is: an exchange, or a request that never became one. */
interface RefusedRequest {
  readonly admissionId: string;
  readonly clientRequestId: string | null;
  readonly dialect: Dialect;
}

/** The refusal of what node's parser would not take, told by its error's code. */
export function toParserRefusal(code: string | undefined): GatewayError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new GatewayError('headers_too_large', 'The request head is too large');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new GatewayError('request_timeout', 'The request did not arrive in time');
  }
  return new GatewayError('invalid_request', 'The request is not well-formed HTTP/1.1');
}

/** A whole HTTP/1.1 response for a socket that has no response object; the connection ends with it. */
export function toRawRefusal(error: GatewayError, refused: RefusedRequest): string {
  const body = toErrorBody(error, refused.dialect);
  return [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    `request-id: ${refused.admissionId}`,
    `x-request-id: ${refused.clientRequestId ?? refused.admissionId}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

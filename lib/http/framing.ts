import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../errors/gateway-error.ts';

const MAX_HEADERS = 100;

/** Headers of which a second one could be read differently by someone behind or before us. */
const SINGLE: ReadonlySet<string> = new Set([
  'host',
  'authorization',
  'content-length',
  'content-type',
  'transfer-encoding',
  'content-encoding',
]);

const NAME = /^[A-Za-z0-9-]+$/;

/**
 * The rules of SPEC §2.1.1 that the parser leaves open, on the headers as they came: node's own
 * `headers` hides duplicates. Whatever breaks one costs the connection, since what follows on it
 * cannot be believed.
 * @throws GatewayError `headers_too_large`, `invalid_request`
 */
export function checkFraming(request: IncomingMessage): void {
  const { rawHeaders } = request;
  if (rawHeaders.length > MAX_HEADERS * 2) {
    throw new GatewayError('headers_too_large', `More than ${MAX_HEADERS} headers`, {
      closeConnection: true,
    });
  }
  const found = readNames(rawHeaders);
  if (!found.has('host') && request.httpVersion === '1.1')
    throw refusal('The Host header is missing');
  if (found.has('upgrade')) throw refusal('Upgrade is not supported');
  checkExpect(request);
  checkBody(request, found);
}

function readNames(rawHeaders: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (!NAME.test(name)) throw refusal('A header name holds a character that is not allowed');
    const lower = name.toLowerCase();
    if (found.has(lower) && SINGLE.has(lower)) throw refusal(`The header ${lower} is given twice`);
    found.add(lower);
  }
  return found;
}

function checkExpect(request: IncomingMessage): void {
  const { expect } = request.headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw refusal('Expect can only be 100-continue');
  }
}

function checkBody(request: IncomingMessage, found: ReadonlySet<string>): void {
  const encoding = request.headers['transfer-encoding'];
  if (encoding !== undefined) checkEncoding(request, encoding, found);
  const bodiless = request.method === 'GET' || request.method === 'HEAD';
  if (bodiless && hasBody(request)) throw refusal(`${request.method ?? ''} takes no body`);
}

function checkEncoding(
  request: IncomingMessage,
  encoding: string,
  found: ReadonlySet<string>,
): void {
  if (encoding.toLowerCase() !== 'chunked') throw refusal('Transfer-Encoding can only be chunked');
  if (request.httpVersion !== '1.1') throw refusal('Transfer-Encoding needs HTTP/1.1');
  if (found.has('content-length'))
    throw refusal('Transfer-Encoding and Content-Length exclude each other');
}

/** Whether the head announces a body. */
export function hasBody(request: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  return encoding !== undefined || (length !== undefined && Number(length) !== 0);
}

function refusal(message: string): GatewayError {
  return new GatewayError('invalid_request', message, { closeConnection: true });
}

import { toErrorBody } from '../errors/error-body.ts';
import type { GatewayError } from '../errors/gateway-error.ts';
import { drainBody, isBodyPending, isHeldBack } from './drain-body.ts';
import type { Exchange } from './exchange.ts';

/** Names and values in turn, as `writeHead` takes them cheapest. */
type FlatHeaders = readonly string[];

const NO_HEADERS: FlatHeaders = [];
const DEFAULT_RETRY_MS = 1_000;

/** Sends a value as JSON and ends the response. Does nothing if the head has left. */
export function sendJson(
  exchange: Exchange,
  status: number,
  value: unknown,
  headers: FlatHeaders = NO_HEADERS,
): void {
  const text = JSON.stringify(value);
  send(exchange, status, text, ['content-type', 'application/json', ...headers]);
}

/** Sends what is made already, under the type that stands in `headers`, and ends the response. */
export function sendMade(exchange: Exchange, text: string, headers: FlatHeaders): void {
  send(exchange, 200, text, headers);
}

/** Sends plain text and ends the response. Does nothing if the head has left. */
export function sendText(exchange: Exchange, status: number, text: string): void {
  send(exchange, status, text, ['content-type', 'text/plain; charset=utf-8']);
}

/** Answers 204, which has no body. Does nothing if the head has left. */
export function sendEmpty(exchange: Exchange, headers: FlatHeaders): void {
  send(exchange, 204, null, headers);
}

/**
 * Tells the client why not, in its dialect. Once the head has left there is nothing to tell with:
 * the connection is destroyed, so that the reply cannot pass for a whole one.
 */
export function sendRefusal(
  exchange: Exchange,
  error: GatewayError,
  headers: FlatHeaders = NO_HEADERS,
): void {
  if (exchange.response.headersSent) {
    exchange.response.destroy();
    return;
  }
  const own = ['content-type', 'application/json', ...toRetryHeaders(error), ...headers];
  if (error.details.headers) own.push(...error.details.headers);
  if (error.details.closeConnection === true) own.push('connection', 'close');
  send(exchange, error.status, toErrorBody(error, exchange.dialect), own);
}

function toRetryHeaders({ status, code, details }: GatewayError): string[] {
  if (status !== 429 && status !== 503) return [];
  const { retryAfterMs = DEFAULT_RETRY_MS } = details;
  const headers: string[] = [];
  if (retryAfterMs !== null) {
    const waitMs = Math.max(1, Math.ceil(retryAfterMs));
    headers.push('retry-after', String(Math.ceil(waitMs / 1_000)));
    headers.push('retry-after-ms', String(waitMs));
  }
  if (code === 'insufficient_quota') headers.push('x-should-retry', 'false');
  return headers;
}

/** `text` null: a status that has no body, and no length either (RFC 9110 §8.6). */
function send(
  exchange: Exchange,
  status: number,
  text: string | null,
  headers: readonly string[],
): void {
  const { request, response } = exchange;
  if (response.headersSent || response.destroyed) return;
  const head = [...exchange.standardHeaders, ...headers];
  if (text !== null) head.push('content-length', String(Buffer.byteLength(text)));
  const pending = isBodyPending(exchange);
  if (pending && !headers.includes('connection')) head.push('connection', 'close');

  response.writeHead(status, head);
  if (request.method === 'HEAD') {
    response.end();
  } else if (!pending || isHeldBack(exchange)) {
    response.end(text);
  } else {
    if (text === null) response.flushHeaders();
    else response.write(text);
    drainBody(exchange, () => response.end());
  }
}

import type { ServerResponse } from 'node:http';
import type { GatewayError } from '../errors/gateway-error.ts';
import { KEEP_ALIVE, toErrorFrame } from '../openai/replies/sse.ts';
import type { Tally } from '../upstream/tally.ts';
import type { RelayRequest } from './relay-request.ts';
import { sendHead } from './reply-head.ts';

/** Of a stream of server-sent events; the last is for nginx, which would keep them back. */
export const EVENT_HEADERS: readonly string[] = [
  'content-type',
  'text/event-stream; charset=utf-8',
  'x-accel-buffering',
  'no',
];

/**
 * Tells a client whose model still loads that it is served: the head of a 200 first, then a comment a
 * call. Only while nobody else writes to it.
 */
export function sendKeepAlive(
  request: Pick<RelayRequest, 'exchange' | 'lease' | 'headers' | 'tally'>,
): void {
  const { response } = request.exchange;
  if (response.destroyed || response.writableNeedDrain) return;
  if (!response.headersSent) sendHead(request, EVENT_HEADERS);
  request.tally.bytesOut += KEEP_ALIVE.length;
  response.write(KEEP_ALIVE);
}

/**
 * Ends a stream of events of which nothing was sent but comments. Does nothing where it has ended.
 */
export function endEvents(
  response: ServerResponse,
  error: GatewayError,
  tally: Pick<Tally, 'bytesOut'> | undefined,
): void {
  if (response.destroyed || response.writableEnded) return;
  const frame = toErrorFrame(error);
  if (tally) tally.bytesOut += Buffer.byteLength(frame);
  response.end(frame);
}

import type { Exchange } from './exchange.ts';
import { hasBody } from './framing.ts';

const MAX_DRAINED_BYTES = 65_536;
const MAX_DRAIN_MS = 1_000;

/** Whether bytes of the request may still be on their way: then its connection cannot be kept. */
export function isBodyPending({ request }: Exchange): boolean {
  return !request.complete && hasBody(request);
}

/** A client that waits for `100 Continue` and was not told to go on sends nothing. */
export function isHeldBack({ request }: Exchange): boolean {
  return request.headers.expect !== undefined && request.readableFlowing === null;
}

/**
 * Takes a little more of a body that nobody wants, then calls `onDone`, once. Closing a socket
 * with bytes unread resets the connection, and the client might lose the refusal it was sent.
 */
export function drainBody({ request, response }: Exchange, onDone: () => void): void {
  let drainedBytes = 0;
  const timer = setTimeout(finish, MAX_DRAIN_MS);

  function onData(chunk: Buffer): void {
    drainedBytes += chunk.length;
    if (drainedBytes > MAX_DRAINED_BYTES) finish();
  }

  function finish(): void {
    clearTimeout(timer);
    request.off('data', onData);
    request.off('close', finish);
    request.off('end', finish);
    response.off('close', finish);
    request.pause();
    onDone();
  }

  request.on('data', onData);
  request.on('end', finish);
  request.on('close', finish);
  response.on('close', finish);
  request.resume();
}

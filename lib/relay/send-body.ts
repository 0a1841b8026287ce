import { ClientWriter } from './client-writer.ts';
import type { RelayLimits, RelayRequest } from './relay-request.ts';
import { sendHead } from './reply-head.ts';

const HEADERS = ['content-type', 'application/json; charset=utf-8'];

/**
 * Sends one JSON text as the whole response. A reader that takes nothing is cut off, and so is one
 * that is not done in time: however slow it is, the reply is held for it in full.
 */
export function sendBody(
  limits: RelayLimits,
  request: RelayRequest,
  pieces: readonly Uint8Array[],
): void {
  const { exchange, tally } = request;
  if (exchange.gone.aborted) {
    tally.outcome = 'client_gone';
    return;
  }
  const length = pieces.reduce((bytes, piece) => bytes + piece.length, 0);
  sendHead(request, HEADERS, length);
  const cut = (): void => {
    if (tally.cutFor === null) tally.outcome = 'client_gone';
    exchange.response.destroy();
    writer.close();
  };
  const writer = new ClientWriter({
    response: exchange.response,
    tally,
    readerTimeoutMs: limits.readerTimeoutMs,
    onFree: () => undefined,
    onStuck: cut,
  });
  exchange.gone.addEventListener(
    'abort',
    () => {
      writer.close();
    },
    { once: true },
  );
  const timer = setTimeout(cut, limits.deliveryTimeoutMs).unref();
  void exchange.closed.then(() => {
    clearTimeout(timer);
  });
  for (const { buffer, byteOffset, byteLength } of pieces) {
    writer.push(Buffer.from(buffer, byteOffset, byteLength));
  }
  writer.end();
}

import { ClientWriter } from './client-writer.ts';
import type { RelayLimits, RelayRequest } from './relay-request.ts';
import { sendHead } from './reply-head.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Sends one JSON text as the whole response; a reader that does not take it is cut off. */
export function sendBody(limits: RelayLimits, request: RelayRequest, body: Buffer): void {
  const { exchange, tally } = request;
  if (exchange.gone.aborted) {
    tally.outcome = 'client_gone';
    return;
  }
  sendHead(request, JSON_TYPE, body.length);
  const writer = new ClientWriter({
    response: exchange.response,
    tally,
    readerTimeoutMs: limits.readerTimeoutMs,
    onFree: () => undefined,
    onStuck: () => {
      tally.outcome = 'client_gone';
      exchange.response.destroy();
      writer.close();
    },
  });
  exchange.gone.addEventListener(
    'abort',
    () => {
      writer.close();
    },
    { once: true },
  );
  writer.push(body);
  writer.end();
}

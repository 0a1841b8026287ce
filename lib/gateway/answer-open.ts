import { sendEmpty, sendJson, sendText } from '../http/reply.ts';
import type { Exchange } from '../http/exchange.ts';
import type { OpenRouteOf } from './stages.ts';

/** What needs no key: Ollama's own probe, liveness, readiness (SPEC §2), a browser's preflight. */
export function answerOpen(exchange: Exchange, route: OpenRouteOf, isReady: () => boolean): void {
  switch (route.name) {
    case 'root':
      sendText(exchange, 200, 'Ollama is running');
      return;
    case 'healthz':
      sendJson(exchange, 200, { status: 'pass' });
      return;
    case 'readyz': {
      const ready = isReady();
      sendJson(exchange, ready ? 200 : 503, { status: ready ? 'pass' : 'fail' });
      return;
    }
    case 'preflight':
      sendEmpty(exchange, exchange.preflight ?? []);
  }
}

import type { Grant } from '../access/grant.ts';
import type { Call } from '../http/call.ts';
import type { Exchange } from '../http/exchange.ts';
import { sendJson } from '../http/reply.ts';

interface IdleFacts {
  /** What the request would have been granted (SPEC §2.2); null for embeddings. */
  readonly numPredict: number | null;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/**
 * An empty prompt is Ollama's command to load or unload a model. It is answered as Ollama would,
 * without the upstream and free of charge: clients send it to warm up, and who could unload a model
 * could take it from others (SPEC §2.2).
 */
export function answerIdle(exchange: Exchange, call: Call, grant: Grant, facts: IdleFacts): void {
  const { numPredict, nowMs } = facts;
  const headers = numPredict === null ? [] : ['x-nzgw-max-tokens', String(numPredict)];
  sendJson(exchange, 200, toIdleReply(call, grant.model.name, nowMs), headers);
}

function toIdleReply(call: Call, model: string, nowMs: number): object {
  const created = { model, created_at: new Date(nowMs).toISOString() };
  const done = { done: true, done_reason: call.idle };
  switch (call.route) {
    case 'chat':
      return { ...created, message: { role: 'assistant', content: '' }, ...done };
    case 'generate':
      return { ...created, response: '', ...done };
    case 'embed':
      return { model, embeddings: [] };
    case 'embeddings':
      return { embedding: [] };
  }
}

import type { Grant } from '../access/grant.ts';
import type { Call } from '../http/call.ts';
import type { Exchange } from '../http/exchange.ts';
import { sendJson, sendMade } from '../http/reply.ts';
import { makeFrames } from '../openai/replies/make-frames.ts';
import type { FramesSpec } from '../openai/replies/make-frames.ts';
import { wrapWhole } from '../openai/replies/whole-part.ts';
import { EVENT_HEADERS } from '../relay/event-head.ts';
import { toFramesSpec } from '../relay/frames-spec.ts';

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
  const model = grant.model.name;
  const reply = toIdleReply(call, model, nowMs);
  if (!call.wishes) {
    sendJson(exchange, 200, reply, headers);
    return;
  }
  const spec = toFramesSpec({ exchange, call, model }, call.wishes);
  if (call.streamed) {
    const events = makeFrames(spec).frame(JSON.stringify(reply))?.frames ?? '';
    sendMade(exchange, events, [...EVENT_HEADERS, ...headers]);
    return;
  }
  sendMade(exchange, toIdleCompletion(spec, call, nowMs), [...JSON_HEADERS, ...headers]);
}

const JSON_HEADERS = ['content-type', 'application/json; charset=utf-8'];
const NO_USAGE = { promptTokens: null, completionTokens: null };

/** Of OpenAI's requests only a completion can be idle: a chat must have a message. */
function toIdleCompletion(spec: FramesSpec, { idle }: Call, nowMs: number): string {
  const createdS = Math.floor(nowMs / 1_000);
  const reply = { ...spec, createdS, doneReason: idle, usage: NO_USAGE };
  return wrapWhole('completion', reply, () => []).join('');
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

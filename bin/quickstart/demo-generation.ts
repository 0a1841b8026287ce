import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../lib/time/clock.ts';
import { makeReply } from './demo-replies.ts';
import type { DemoRequest } from './demo-requests.ts';

export interface DemoGeneration {
  readonly model: string;
  readonly route: '/api/chat' | '/api/generate';
  readonly tokenMs: number;
}

/**
 * Answers a chat or generate request at the pace of a small model, as NDJSON or, without a stream, as
 * one object. A client that hangs up ends it, as it would free a GPU.
 */
export async function answerGeneration(
  response: ServerResponse,
  asked: DemoRequest,
  { model, route, tokenMs }: DemoGeneration,
): Promise<void> {
  const startedMs = systemClock.monotonicMs();
  const reply = makeReply(asked.prompt, asked.maxTokens);
  const toPart = (text: string): object => {
    const created = { model, created_at: new Date().toISOString() };
    return route === '/api/chat'
      ? { ...created, message: { role: 'assistant', content: text } }
      : { ...created, response: text };
  };

  response.setHeader('content-type', asked.stream ? 'application/x-ndjson' : 'application/json');
  for (const token of reply.tokens) {
    await pause(tokenMs);
    if (response.destroyed) return;
    if (asked.stream) response.write(`${JSON.stringify({ ...toPart(token), done: false })}\n`);
  }
  const durationNs = Math.round((systemClock.monotonicMs() - startedMs) * 1e6);
  const last = {
    ...toPart(asked.stream ? '' : reply.tokens.join('')),
    done: true,
    done_reason: reply.doneReason,
    total_duration: durationNs,
    load_duration: 1_000,
    ...(reply.promptTokens > 0 && { prompt_eval_count: reply.promptTokens }),
    prompt_eval_duration: 1_000,
    ...(reply.tokens.length > 0 && { eval_count: reply.tokens.length }),
    eval_duration: durationNs,
  };
  response.end(`${JSON.stringify(last)}\n`);
}

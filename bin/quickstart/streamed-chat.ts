import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { systemClock } from '../../lib/time/clock.ts';

/** A cold model of a real Ollama has to be loaded first. */
const WITHIN_MS = 300_000;
/** A proof needs no essay. */
const MAX_TOKENS = 48;

const lineShape = z.object({
  done: z.boolean().optional(),
  error: z.string().optional(),
  prompt_eval_count: z.number().default(0),
  eval_count: z.number().default(0),
});

export interface StreamedChat {
  /** The admission id, under which the request is audited. */
  readonly requestId: string;
  readonly lines: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly firstLineMs: number;
  readonly totalMs: number;
}

export interface ChatCall {
  readonly url: string;
  readonly key: string;
  readonly model: string;
  readonly signal: AbortSignal;
}

/** A chat as an Ollama client asks for it, read line by line. Throws Error where it is not whole. */
export async function streamChat({ url, key, model, signal }: ChatCall): Promise<StreamedChat> {
  const startedMs = systemClock.monotonicMs();
  const elapsed = (): number => Math.round(systemClock.monotonicMs() - startedMs);
  const response = await fetch(`${url}/api/chat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      messages: [{ role: 'user', content: 'Hello! Who are you?' }],
      options: { num_predict: MAX_TOKENS },
    }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]),
  });
  if (response.status !== 200 || response.body === null) {
    throw new Error(`a streamed chat got ${response.status}: ${await response.text()}`);
  }
  let lines = 0;
  let firstLineMs = 0;
  for await (const text of createInterface({ input: Readable.fromWeb(response.body) })) {
    const line = lineShape.parse(JSON.parse(text));
    if (line.error !== undefined) throw new Error(`the chat ended in an error: ${line.error}`);
    if (lines === 0) firstLineMs = elapsed();
    lines += 1;
    if (line.done !== true) continue;
    return {
      requestId: response.headers.get('request-id') ?? '',
      lines,
      promptTokens: line.prompt_eval_count,
      completionTokens: line.eval_count,
      firstLineMs,
      totalMs: elapsed(),
    };
  }
  throw new Error(`the chat ended after ${lines} lines, without its last one`);
}

import type { Script } from './fake-script.ts';

export type FakeRoute = 'chat' | 'generate' | 'embed' | 'embeddings';

/** What of a request the reply depends on. */
export interface Asked {
  readonly route: FakeRoute;
  readonly model: string;
  readonly stream: boolean;
  readonly numPredict: number | null;
  readonly inputs: number;
}

export interface FakeReply {
  readonly lines: readonly string[];
  readonly last: string;
}

const CREATED_AT = '2026-01-01T00:00:00.000000001Z';

/** Content lines and the last line of a chat or a generation, in Ollama's order of members. */
export function buildReply(asked: Asked, script: Script): FakeReply {
  const wanted = script.tokens ?? 3;
  const tokens = Math.min(wanted, asked.numPredict ?? wanted);
  const lines: string[] = [];
  for (let i = 0; i < (script.thinking ?? 0); i += 1) {
    lines.push(line(asked, { thinking: ' hm' }, script));
  }
  for (let i = 0; i < tokens; i += 1) {
    lines.push(line(asked, { content: contentAt(i, script) }, script));
  }
  if (script.toolCalls && script.toolCallsInFinal !== true) {
    lines.push(line(asked, { toolCalls: script.toolCalls }, script));
  }
  const reason = tokens < wanted ? 'length' : 'stop';
  return { lines, last: script.finalLine ?? lastLine(asked, script, lines.length, reason) };
}

/** The reply of a client that asked for no stream: all lines in one object. */
export function buildWhole(asked: Asked, script: Script): string {
  if (asked.route === 'embed') return embedReply(asked, script);
  if (asked.route === 'embeddings') return JSON.stringify({ embedding: vector(script) });
  const { lines, last } = buildReply(asked, script);
  const whole = JSON.parse(last) as Record<string, unknown>;
  const text = lines.map((item) => textOf(JSON.parse(item) as Piece)).join('');
  if (asked.route === 'generate') whole['response'] = text;
  else whole['message'] = { role: 'assistant', content: text };
  return JSON.stringify(whole);
}

interface Piece {
  readonly response?: string;
  readonly message?: { readonly content: string };
}

function textOf(piece: Piece): string {
  return piece.response ?? piece.message?.content ?? '';
}

function contentAt(index: number, script: Script): string {
  const text = script.text ?? ` tok${index}`;
  if (index > 0 || script.longLineBytes === undefined) return text;
  return text.padEnd(script.longLineBytes, 'x');
}

interface Content {
  readonly content?: string;
  readonly thinking?: string;
  readonly toolCalls?: readonly unknown[];
}

function line(asked: Asked, content: Content, script: Script): string {
  return JSON.stringify({
    model: asked.model,
    created_at: CREATED_AT,
    ...body(asked, content),
    done: false,
    ...(script.logprobs && { logprobs: [{ token: content.content ?? '', logprob: -0.5 }] }),
  });
}

function body(asked: Asked, { content = '', thinking, toolCalls }: Content): object {
  const more = { ...(thinking && { thinking }), ...(toolCalls && { tool_calls: toolCalls }) };
  if (asked.route === 'generate') return { response: content, ...more };
  return { message: { role: 'assistant', content, ...more } };
}

function lastLine(asked: Asked, script: Script, count: number, reason: string): string {
  const promptTokens = script.promptTokens === undefined ? 7 : script.promptTokens;
  const evalTokens = script.evalTokens === undefined ? count : script.evalTokens;
  const doneReason = script.doneReason === undefined ? reason : script.doneReason;
  const toolCalls = script.toolCallsInFinal === true ? script.toolCalls : undefined;
  return JSON.stringify({
    model: asked.model,
    created_at: CREATED_AT,
    ...body(asked, toolCalls ? { toolCalls } : {}),
    done: script.done ?? true,
    ...(doneReason !== null && { done_reason: doneReason }),
    ...(asked.route === 'generate' && { context: [1, 2, 3] }),
    total_duration: 5_000_000,
    load_duration: 1_000_000,
    ...(promptTokens !== null && { prompt_eval_count: promptTokens }),
    prompt_eval_duration: 1_000_000,
    ...(evalTokens !== null && { eval_count: evalTokens }),
    eval_duration: 3_000_000,
  });
}

function embedReply(asked: Asked, script: Script): string {
  const promptTokens = script.promptTokens === undefined ? 7 * asked.inputs : script.promptTokens;
  return JSON.stringify({
    model: asked.model,
    embeddings: Array.from({ length: asked.inputs }, () => vector(script)),
    total_duration: 5_000_000,
    load_duration: 1_000_000,
    ...(promptTokens !== null && { prompt_eval_count: promptTokens }),
  });
}

function vector(script: Script): number[] {
  return Array.from({ length: script.dimensions ?? 4 }, (_, i) => (i + 1) / 16);
}

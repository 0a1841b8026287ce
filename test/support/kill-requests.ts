import { post } from './stack.ts';

/** Output that each `ask` is granted, and gets. */
export const ASK_OUTPUT_TOKENS = 40;
/** The fake's model whose replies come slowly. */
export const STREAM_MODEL = 'qwen3:8b';

export interface Answer {
  /** 0: the connection was cut before there was any. */
  readonly status: number;
  /** The admission id; empty without an answer. */
  readonly id: string;
  /** `x-budget-remaining-tokens`; NaN where it is not told. */
  readonly remainingTokens: number;
  /** False: no wait will help. */
  readonly retry: boolean;
}

export interface RunningAnswer extends Answer {
  /** The lines that came until the end, and whether it was cut before. */
  readonly ended: Promise<{ readonly lines: readonly string[]; readonly cut: boolean }>;
}

interface Key {
  readonly key: string;
}

const CUT: Answer = { status: 0, id: '', remainingTokens: Number.NaN, retry: true };

/** A request for a short reply. Resolves when it is over, however it ended. */
export async function ask(url: string, { key }: Key): Promise<Answer> {
  const answer = await send(url, key, 'llama3', ASK_OUTPUT_TOKENS);
  await answer.ended;
  return answer;
}

/** A slow stream, 100 tokens a second. Resolves with its head; by then the upstream has it. */
export function openStream(url: string, { key }: Key, outputTokens = 500): Promise<RunningAnswer> {
  return send(url, key, STREAM_MODEL, outputTokens);
}

async function send(
  url: string,
  key: string,
  model: string,
  outputTokens: number,
): Promise<RunningAnswer> {
  const body = {
    model,
    messages: [{ role: 'user', content: 'until death' }],
    options: { num_predict: outputTokens },
  };
  try {
    const response = await post(`${url}/api/chat`, key, body);
    return {
      status: response.status,
      id: response.headers.get('request-id') ?? '',
      remainingTokens: Number(response.headers.get('x-budget-remaining-tokens') ?? Number.NaN),
      retry: response.headers.get('x-should-retry') !== 'false',
      ended: readToEnd(response),
    };
  } catch {
    return { ...CUT, ended: Promise.resolve({ lines: [], cut: true }) };
  }
}

async function readToEnd(
  response: Response,
): Promise<{ readonly lines: readonly string[]; readonly cut: boolean }> {
  let text = '';
  let cut = false;
  try {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
    }
  } catch {
    cut = true;
  }
  return { lines: text.split('\n').slice(0, -1), cut };
}

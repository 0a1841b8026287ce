import { systemClock } from '../../../../lib/time/clock.ts';

const URL_OF_CHAT = 'http://127.0.0.1:8080/api/chat';
const MODEL = 'demo-echo:latest';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** The connection broke before the end of the body. */
  readonly broken: boolean;
  /** From the first to the last piece. */
  readonly spreadMs: number;
}

export interface Chat {
  /** The head of the reply has come. */
  readonly begun: Promise<undefined>;
  readonly ended: Promise<Reply>;
}

/** A streamed chat with the demo model, which says each word again, 25 ms apart. */
export function startChat(key: string, words: number): Chat {
  const begun = Promise.withResolvers<undefined>();
  // Whoever waits for the end alone hears of the failure there.
  begun.promise.catch(() => undefined);
  const ended = talk(key, 'word '.repeat(words), () => {
    begun.resolve(undefined);
  });
  ended.catch(begun.reject);
  return { begun: begun.promise, ended };
}

async function talk(key: string, content: string, onHead: () => void): Promise<Reply> {
  const response = await fetch(URL_OF_CHAT, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: MODEL, messages: [{ role: 'user', content }] }),
  });
  onHead();
  let text = '';
  let broken = false;
  let firstMs = 0;
  let lastMs = 0;
  try {
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      lastMs = systemClock.monotonicMs();
      firstMs ||= lastMs;
      text += piece;
    }
  } catch {
    broken = true;
  }
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const { status, headers } = response;
  return { status, headers, lines, broken, spreadMs: lastMs - firstMs };
}

/** Whether the model's last line came. */
export function isWhole({ status, lines, broken }: Reply): boolean {
  return status === 200 && !broken && lines.at(-1)?.['done'] === true;
}

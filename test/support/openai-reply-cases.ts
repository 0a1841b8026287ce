import { readFileSync, readdirSync } from 'node:fs';
import type { ReplyWishes } from '../../lib/openai/reply-wishes.ts';
import { ROOT } from '../../lib/root.ts';

/** Native lines and what an OpenAI client gets for them. */
export interface ReplyCase {
  /** A sentence: what the case is there for. */
  readonly shows: string;
  readonly endpoint: 'chat' | 'completion' | 'embeddings' | 'models';
  readonly wishes: ReplyWishes;
  /** Objects as Ollama serialises them, or lines as they stand; entries of `models`. */
  readonly lines: readonly unknown[];
  /** Of a streamed reply: chunks, and `[DONE]` as it is. */
  readonly frames?: readonly unknown[];
  /** Of a whole one. */
  readonly object?: unknown;
}

const FOLDER = new URL('test/fixtures/openai/replies/', ROOT);

/** The cases of every file of the folder, by the file's name. */
export function readReplyCases(): ReadonlyMap<string, readonly ReplyCase[]> {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  return new Map(
    names.sort().map((name) => {
      const text = readFileSync(new URL(name, FOLDER), 'utf8');
      return [name.replace('.json', ''), JSON.parse(text) as readonly ReplyCase[]];
    }),
  );
}

/** A line as the upstream would send it. */
export function toLineText(line: unknown): string {
  return typeof line === 'string' ? line : JSON.stringify(line);
}

/** What SSE frames hold, each parsed. Throws for anything that is no frame. */
export function parseFrames(text: string): unknown[] {
  if (text === '') return [];
  if (!text.endsWith('\n\n')) throw new Error(`no whole frame: ${text}`);
  return text
    .slice(0, -2)
    .split('\n\n')
    .map((frame) => {
      if (!frame.startsWith('data: ') || frame.includes('\n')) throw new Error(`odd: ${frame}`);
      const data = frame.slice('data: '.length);
      return data === '[DONE]' ? data : (JSON.parse(data) as unknown);
    });
}

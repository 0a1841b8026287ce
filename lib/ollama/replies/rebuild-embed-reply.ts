import { parseLine } from './parse-line.ts';
import type { ReplyLine } from './parse-line.ts';
import { readUsage } from './read-usage.ts';
import type { Usage } from './read-usage.ts';

export type EmbedRoute = 'embed' | 'embeddings';

/** What was asked for. */
export interface EmbedAsked {
  readonly route: EmbedRoute;
  /** Texts to embed, each of which has its vector: /api/embeddings takes one. */
  readonly inputs: number;
}

export interface EmbedReply {
  /** JSON made from known fields. */
  readonly body: Uint8Array;
  readonly usage: Usage;
}

/**
 * Reads a whole reply of /api/embed or /api/embeddings and makes it anew from the fields that are
 * known; null if it is none, or has not a vector for each text. Plain data in and out: it may run in
 * a thread.
 */
export function rebuildEmbedReply(
  { route, inputs }: EmbedAsked,
  bytes: Uint8Array,
): EmbedReply | null {
  const reply = parseLine(bytes);
  if (!reply) return null;
  const rebuilt = route === 'embed' ? rebuildEmbed(reply, inputs) : rebuildEmbeddings(reply);
  if (!rebuilt) return null;
  return { body: Buffer.from(JSON.stringify(rebuilt)), usage: readUsage(reply) };
}

function rebuildEmbed(reply: ReplyLine, inputs: number): object | null {
  const embeddings = reply['embeddings'];
  if (!Array.isArray(embeddings) || embeddings.length !== inputs) return null;
  if (!embeddings.every(isVector)) return null;
  const model = reply['model'];
  return {
    ...(typeof model === 'string' && { model }),
    embeddings,
    ...pickNumbers(reply, ['total_duration', 'load_duration', 'prompt_eval_count']),
  };
}

function rebuildEmbeddings(reply: ReplyLine): object | null {
  const embedding = reply['embedding'];
  return isVector(embedding) ? { embedding } : null;
}

function isVector(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

function pickNumbers(reply: ReplyLine, names: readonly string[]): Record<string, number> {
  const picked: Record<string, number> = {};
  for (const name of names) {
    const value = reply[name];
    if (typeof value === 'number') picked[name] = value;
  }
  return picked;
}

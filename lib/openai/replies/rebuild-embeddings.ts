import { parseLine } from '../../ollama/replies/parse-line.ts';
import { readUsage } from '../../ollama/replies/read-usage.ts';
import type { EmbedReply } from '../../ollama/replies/rebuild-embed-reply.ts';
import type { ReplyWishes } from '../reply-wishes.ts';

export interface EmbeddingsOptions {
  /** The client's own spelling. */
  readonly model: string;
  readonly encoding: ReplyWishes['encoding'];
  /** Texts to embed, each of which has its vector. */
  readonly inputs: number;
}

const FLOAT_BYTES = 4;

/**
 * Makes the reply of /v1/embeddings from a whole one of /api/embed; null if it is none, or has not a
 * vector for each text: its client goes by their places. Plain data in and out: it may run in a thread.
 */
export function rebuildOpenAiEmbeddings(
  bytes: Uint8Array,
  { model, encoding, inputs }: EmbeddingsOptions,
): EmbedReply | null {
  const reply = parseLine(bytes);
  const embeddings = reply?.['embeddings'];
  if (!reply || !Array.isArray(embeddings) || embeddings.length !== inputs) return null;
  if (!embeddings.every(isVector)) return null;
  const usage = readUsage(reply);
  const promptTokens = usage.promptTokens ?? 0;
  const rebuilt = {
    object: 'list',
    data: embeddings.map((vector, index) => ({
      object: 'embedding',
      embedding: encoding === 'base64' ? toBase64(vector) : vector,
      index,
    })),
    model,
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
  };
  return { body: Buffer.from(JSON.stringify(rebuilt)), usage };
}

function isVector(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isFinite(item));
}

/** Little-endian float32, whatever the machine's order. */
function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(vector.length * FLOAT_BYTES);
  vector.forEach((value, i) => bytes.writeFloatLE(value, i * FLOAT_BYTES));
  return bytes.toString('base64');
}

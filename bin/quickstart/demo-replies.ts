import { createHash } from 'node:crypto';
import { DEMO_DIMENSIONS, DEMO_NOTICE } from './demo-models.ts';

/** A request's text, as far as the demo model reads it. */
export interface DemoPrompt {
  /** Everything that counts as prompt, one text after another. */
  readonly texts: readonly string[];
  /** What is said back. */
  readonly last: string;
}

/** A reply made of tokens: their texts joined are the reply. */
export interface DemoReply {
  readonly tokens: readonly string[];
  readonly promptTokens: number;
  readonly doneReason: 'stop' | 'length';
}

/**
 * Says what it is, then what it heard. `maxTokens` cuts it as num_predict does; below 0 is no limit.
 */
export function makeReply(prompt: DemoPrompt, maxTokens: number): DemoReply {
  const heard = prompt.last.trim() === '' ? 'nothing' : prompt.last.trim();
  const all = splitTokens(`I am the ${DEMO_NOTICE}. I heard: ${heard}`);
  const tokens = maxTokens < 0 ? all : all.slice(0, maxTokens);
  return {
    tokens,
    promptTokens: countTokens(prompt.texts),
    doneReason: tokens.length < all.length ? 'length' : 'stop',
  };
}

/** Tokens of the demo model: a word or a single sign, with the white space before it. */
export function splitTokens(text: string): readonly string[] {
  return text.match(/\s*(?:[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_])/gu) ?? [];
}

export function countTokens(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + splitTokens(text).length, 0);
}

/** A vector of length 1 that depends on the text alone, and says nothing about its meaning. */
export function makeEmbedding(text: string): readonly number[] {
  const bytes = createHash('shake256', { outputLength: DEMO_DIMENSIONS }).update(text).digest();
  const numbers = Array.from(bytes, (byte) => byte - 127.5);
  const length = Math.hypot(...numbers);
  return numbers.map((number) => number / length);
}

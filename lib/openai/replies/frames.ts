import type { LineFacts } from '../../ollama/replies/line-facts.ts';

/** What a line becomes for a client that streams, and what the gateway wants to know of it. */
export interface FramedLine {
  /** SSE frames, '' for none: an error line has none, nor has anything after the last line. */
  readonly frames: string;
  readonly facts: LineFacts;
}

/**
 * Translates a native stream line by line (SPEC §8). `text` is a line decoded from UTF-8, with or
 * without its newline. Nothing here throws.
 */
export interface Frames {
  /** The frame of a plain line of content (PLAIN_FACTS) unparsed; null: use `frame`. */
  framePlain(text: string): string | null;
  /** Any line; null: it is no JSON object, or one too deep to be written again. */
  frame(text: string): FramedLine | null;
  /** Where the stream stands: plain data, to go on with elsewhere. */
  readonly state: StreamState;
}

export interface StreamOptions {
  /** One for the whole stream. */
  readonly id: string;
  readonly model: string;
  /** The client wants a last chunk with the usage. */
  readonly includeUsage: boolean;
  /** Unix seconds, if the first line does not tell its time. */
  readonly fallbackCreatedS: number;
}

export interface StreamState {
  /** Unix seconds, told by the first line; null before it. */
  readonly createdS: number | null;
  /** Tool calls of a chat; characters of a completion's tokens. */
  readonly sent: number;
  /** `[DONE]` was sent. */
  readonly finished: boolean;
}

export const NEW_STREAM: StreamState = { createdS: null, sent: 0, finished: false };

/** Of every line that `framePlain` takes. */
export const PLAIN_FACTS: LineFacts = {
  failed: false,
  done: false,
  content: true,
  usage: { promptTokens: null, completionTokens: null },
};

import type { LineFacts } from '../ollama/replies/line-facts.ts';
import type { ReplyMemory } from './reply-memory.ts';

/** What a line adds to a reply. */
export interface Part {
  readonly facts: LineFacts;
  /** Puts it behind what is there. @throws GatewayError when the reply grows too large */
  add(): void;
}

/**
 * Puts the lines of a chat or a generation together for a client that asked for no stream (SPEC §6),
 * in the form of its dialect: texts concatenated, tool calls and log probabilities appended in order,
 * all else from the last line. What it keeps is the JSON of the reply already.
 */
export interface Assembly {
  /** Of the last line added. */
  readonly last: LineFacts | null;
  /** Null: it is no reply's line. */
  read(line: Uint8Array): Part | null;
  /** The same of a line that is too large to be read on this thread. @throws GatewayError */
  readLarge(line: Uint8Array, memory: ReplyMemory): Promise<Part | null>;
  /** The reply as one JSON text in pieces; null: no line came. @throws GatewayError */
  finish(): Uint8Array[] | null;
}

/** What every assembly has. */
export interface AssemblyParts {
  readonly maxBytes: number;
  readonly memory: ReplyMemory;
}

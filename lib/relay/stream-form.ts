import type { GatewayError } from '../errors/gateway-error.ts';
import type { LineFacts } from '../ollama/replies/line-facts.ts';
import type { ReplyMemory } from './reply-memory.ts';

/** A line of the reply and how it stands in it. */
export interface StreamLine {
  /** With its newline. */
  readonly bytes: Buffer;
  /** The reply has ended: what it means must be read. */
  readonly last: boolean;
}

/**
 * What a dialect makes of a streamed reply (SPEC §6): lines go in, one after the other, and what
 * the client gets of them comes out once a turn.
 */
export interface StreamForm {
  readonly headers: readonly string[];
  /** What a client may be sent while nothing comes; null: nothing. */
  readonly keepAlive: string | null;
  /** @throws GatewayError for a line that ends the reply: those before it are good */
  take(line: StreamLine): void;
  /** The same for a line that is too large to be read on this thread. */
  takeLarge(line: Buffer, memory: ReplyMemory): Promise<void>;
  /** What the client gets of the lines taken since the last call; `piece` is those lines as they came. */
  flush(piece: Buffer): Buffer | null;
  /** The client was told that its reply is whole: nothing may follow, whatever the upstream does. */
  readonly told: boolean;
  /** Of the last line taken; null: none was, or it was no object. */
  readLast(): LineFacts | null;
  /** The body ended where HTTP says it should. Null: the client was told all that it will be. */
  finish(last: LineFacts): GatewayError | null;
  toErrorFrame(error: GatewayError): string;
}

/** What a client sent as one thing that the store carries out, read but not changed. */
export interface Command {
  readonly bytes: Buffer;
  /** In lower case: a Redis command, a script of ours without its `nz_`, or SQL from its first word. */
  readonly name: string;
  /** Redis: all behind the name, of a script keys and arguments. SQL: the text, then the parameters. */
  readonly args: readonly string[];
  /** Whether the store answers it with a reply of its own. */
  readonly answered: boolean;
}

/** A piece of what the store says that must not be torn. */
export interface ReplyPart {
  readonly bytes: Buffer;
  /** The reply to the oldest command that waits for one is whole with it. */
  readonly endsReply: boolean;
  /** It belongs to no reply, or the client must speak before the reply can go on. */
  readonly urgent: boolean;
  /** The store did not know the script: the client is going to send it again, with its text. */
  readonly unknownScript: boolean;
}

/**
 * Reads both directions of one connection, split at whatever byte. What it gives out, joined, is
 * what it was given.
 * @throws Error from either when the bytes are nothing that it can read; the connection is lost then.
 */
export interface Wire {
  readCommands(chunk: Buffer): readonly Command[];
  readReplies(chunk: Buffer): readonly ReplyPart[];
}

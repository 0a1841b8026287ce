/**
 * What the fake does with one inference request. Everything is optional: without a script it
 * answers `tokens` lines and a last one with right counts. "After k lines" counts content lines;
 * with 0 it happens before the head.
 */
export interface Script {
  /** Content lines (cut at the request's num_predict, as Ollama does). */
  readonly tokens?: number;
  /** Text of each content line. */
  readonly text?: string;
  /** Lines of thinking before the content. */
  readonly thinking?: number;
  /** Tool calls: a line of their own before the last one, or in the last one. */
  readonly toolCalls?: readonly unknown[];
  readonly toolCallsInFinal?: boolean;
  readonly logprobs?: boolean;
  /** Wait before the head, as a cold model makes one wait. */
  readonly firstByteMs?: number;
  /** Wait after each line. */
  readonly paceMs?: number;
  /** Told of each line when it is written (systemClock.monotonicMs). */
  readonly onLine?: (atMs: number) => void;
  /** Every n bytes a write (and a TCP packet) of its own. */
  readonly splitBytes?: number;
  /** The first content line is padded to this size. */
  readonly longLineBytes?: number;
  /** Sends nothing more, and keeps the connection. */
  readonly stallAfterLines?: number;
  /** Sends a TCP reset. */
  readonly resetAfterLines?: number;
  /** Closes the connection in the middle of the chunked body. */
  readonly dropAfterLines?: number;
  /** Ends the body as HTTP wants it, without a last line. */
  readonly endAfterLines?: number;
  /** Sends `garbage` as a line, then goes on. */
  readonly garbageAfterLines?: number;
  readonly garbage?: string;
  /** Sends `{"error":…}` as a line and ends, as Ollama does. */
  readonly errorAfterLines?: number;
  readonly errorText?: string;
  /** Lines without end, until the reader hangs up. */
  readonly endless?: boolean;
  /** A status with a body instead of a reply. */
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Counts of the last line; null: absent. */
  readonly promptTokens?: number | string | null;
  readonly evalTokens?: number | string | null;
  readonly doneReason?: string | null;
  /** `done` of the last line. */
  readonly done?: boolean;
  /** The last line, as it is. */
  readonly finalLine?: string;
  /** After the last line the body stays open. */
  readonly holdAtEnd?: boolean;
  /** Bytes written on the socket right after the response. */
  readonly extraResponse?: string;
  /** Vectors of an embedding's reply. */
  readonly dimensions?: number;
}

/** A model as the fake lists it. */
export interface FakeModel {
  readonly name: string;
  readonly digest?: string;
  readonly capabilities?: readonly string[];
  readonly remote_host?: string;
  readonly remote_model?: string;
  readonly template?: string;
  readonly system?: string;
  /** Any further member of its /api/tags entry. */
  readonly more?: Readonly<Record<string, unknown>>;
}

export const FAKE_MODELS: readonly FakeModel[] = [
  { name: 'llama3:latest', capabilities: ['completion', 'tools', 'thinking'] },
  { name: 'qwen3:8b', capabilities: ['completion', 'tools', 'thinking'] },
  { name: 'nomic-embed-text:latest', capabilities: ['embedding'] },
];

/** True if the reply can be sent from prepared chunks, in one go. */
export function isPlain(script: Script): boolean {
  return PLAIN.size >= Object.keys(script).length && Object.keys(script).every((k) => PLAIN.has(k));
}

const PLAIN: ReadonlySet<string> = new Set(['tokens', 'text', 'thinking', 'promptTokens']);

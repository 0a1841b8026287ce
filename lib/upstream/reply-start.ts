import type { GatewayError } from '../errors/gateway-error.ts';
import type { Verdict } from './breaker.ts';
import { rewordError } from './reword-error.ts';

/** How Ollama's error object begins: no reply and no line of one does. */
const ERROR_START = '{"error"';
/**
 * The server works, and another request may do. What the model wrote cannot be read; a template, the
 * request's own or the model's, is no program or fails at these messages; an embedding is no number
 * (ollama#9639: some models have none for some texts). A tenant can make each of them as often as it
 * likes, so none may open the breaker, which is there for all.
 */
const REQUESTS_FAULTS: readonly RegExp[] = [
  /error parsing tool call/,
  /template: [\w.-]*:\d+:/,
  /unsupported value: [+-]?(NaN|Inf)/,
];
/** Of an error line; what is known of it stands at its beginning. */
const MAX_BYTES = 16_384;

/**
 * Tells by its first bytes whether a 200 is a reply. An error line that comes first is a 500 whose
 * head had left already; one that the client can mend (an option, an image) says nothing of the
 * upstream, as with a status.
 */
export class ReplyStart {
  #text = '';

  /** Undefined: too little came to tell; an error is judged by its whole line. */
  read(chunk: Buffer): Verdict | undefined {
    this.#text += chunk.toString('latin1', 0, MAX_BYTES - this.#text.length);
    const isError = this.#text.startsWith(ERROR_START);
    if (!isError) return ERROR_START.startsWith(this.#text) ? undefined : 'success';
    const isWhole = this.#text.includes('\n') || this.#text.length >= MAX_BYTES;
    return isWhole ? judgeError(500, this.#text) : undefined;
  }

  /** Nothing more comes: of what was not judged yet. No reply at all is the upstream's failure. */
  end(): Verdict {
    return judgeError(500, this.#text);
  }

  /** What an error line that came first means for its client; null: none did. */
  readError(): GatewayError | null {
    return this.#text.startsWith(ERROR_START) ? rewordError(500, this.#text) : null;
  }
}

/** What an answer that is no reply shows of its upstream: a 5xx is its failure if we cannot word it. */
export function judgeError(status: number, text: string): Verdict {
  if (status < 500 || REQUESTS_FAULTS.some((fault) => fault.test(text))) return 'none';
  return rewordError(status, text).code === 'invalid_request' ? 'none' : 'failure';
}

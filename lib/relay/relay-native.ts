import { toErrorBody } from '../errors/error-body.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { hasContent, isDone, parseLine } from '../ollama/replies/parse-line.ts';
import { readUsage } from '../ollama/replies/read-usage.ts';
import type { ReplyReceiver } from '../upstream/reply.ts';
import { ClientWriter } from './client-writer.ts';
import { notAReply, replyTooLong } from './failures.ts';
import { checkLine } from './check-line.ts';
import { LineSplitter } from './line-splitter.ts';
import { maxLinesOf } from './relay-request.ts';
import type { RelayLimits, RelayRequest } from './relay-request.ts';
import { sendHead } from './reply-head.ts';

const NEWLINE = 0x0a;
const NDJSON = 'application/x-ndjson';

/**
 * Streams a reply to a native client as the upstream sent it, in whole lines (SPEC §6). Resolves
 * when the response was ended or the client is gone; the tally then says how it ended.
 *
 * @throws GatewayError for a failure before the first good line: nothing was sent
 */
export function relayNative(limits: RelayLimits, request: RelayRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    new NativeRelay(limits, request, { resolve, reject }).start();
  });
}

interface Settle {
  resolve(): void;
  reject(error: unknown): void;
}

class NativeRelay implements ReplyReceiver {
  readonly #limits: RelayLimits;
  readonly #request: RelayRequest;
  readonly #settle: Settle;
  readonly #splitter: LineSplitter;
  readonly #writer: ClientWriter;
  readonly #maxLines: number;
  #bytesIn = 0;
  #lastLine: Buffer | null = null;
  #over = false;

  constructor(limits: RelayLimits, request: RelayRequest, settle: Settle) {
    this.#limits = limits;
    this.#request = request;
    this.#settle = settle;
    this.#splitter = new LineSplitter(limits.maxLineBytes);
    this.#maxLines = maxLinesOf(request.lease);
    this.#writer = new ClientWriter({
      response: request.exchange.response,
      tally: request.tally,
      readerTimeoutMs: limits.readerTimeoutMs,
      onFree: () => {
        request.reply.resume();
      },
      onStuck: () => {
        request.tally.outcome = 'client_gone';
        request.exchange.response.destroy();
        this.#leave();
      },
    });
  }

  start(): void {
    const { gone } = this.#request.exchange;
    if (gone.aborted) {
      this.#leave();
      return;
    }
    gone.addEventListener('abort', this.#leave, { once: true });
    this.#request.reply.receive(this);
  }

  onBytes(chunk: Buffer): boolean {
    if (this.#over) return true;
    try {
      this.#bytesIn += chunk.length;
      if (this.#bytesIn > this.#limits.maxReplyBytes) throw replyTooLong();
      const piece = this.#splitter.push(chunk);
      if (piece) this.#accept(piece);
    } catch (error) {
      this.#fail(error);
    }
    return !this.#writer.blocked;
  }

  onEnd(): void {
    if (this.#over) return;
    try {
      const rest = this.#splitter.takeRest();
      if (rest) this.#acceptRest(rest);
      this.#finish();
    } catch (error) {
      this.#fail(error);
    }
  }

  onFailure(error: GatewayError): void {
    if (!this.#over) this.#fail(error);
  }

  /** A last line without its newline is one if it can be read. */
  #acceptRest(rest: Buffer): void {
    if (!parseLine(rest)) throw notAReply();
    this.#accept(Buffer.concat([rest, Buffer.of(NEWLINE)]));
  }

  /** Passes whole lines on; before a bad one, those that were good. */
  #accept(piece: Buffer): void {
    let start = 0;
    try {
      while (start < piece.length) {
        const end = piece.indexOf(NEWLINE, start) + 1;
        checkLine(piece, { start, end, maxBytes: this.#limits.maxLineBytes });
        this.#note(start === 0 && end === piece.length ? piece : piece.subarray(start, end));
        start = end;
      }
    } finally {
      if (start > 0) this.#pass(start === piece.length ? piece : piece.subarray(0, start));
    }
  }

  #note(line: Buffer): void {
    const { tally, observer } = this.#request;
    if (tally.outputLines >= this.#maxLines) throw replyTooLong();
    tally.outputLines += 1;
    this.#lastLine = line;
    observer?.(line);
  }

  #pass(piece: Buffer): void {
    if (!this.#request.exchange.response.headersSent) sendHead(this.#request, NDJSON);
    this.#writer.push(piece);
  }

  /** The body ended as HTTP wants it; the last line tells whether the reply did. */
  #finish(): void {
    const { tally } = this.#request;
    const last = this.#lastLine ? parseLine(this.#lastLine) : null;
    if (!last) throw notAReply();
    if (isDone(last)) {
      tally.reported = readUsage(last);
      if (!hasContent(last)) tally.outputLines -= 1;
    }
    this.#end(isDone(last) ? 'ok' : 'upstream_incomplete');
  }

  #fail(error: unknown): void {
    this.#request.reply.abort();
    this.#request.tally.outcome = 'upstream_error';
    if (!(error instanceof GatewayError) || !this.#request.exchange.response.headersSent) {
      this.#over = true;
      this.#settle.reject(error);
      return;
    }
    this.#writer.push(Buffer.from(`${toErrorBody(error, 'native')}\n`));
    this.#end('upstream_error');
  }

  #end(outcome: 'ok' | 'upstream_incomplete' | 'upstream_error'): void {
    this.#over = true;
    this.#request.tally.outcome = outcome;
    this.#writer.end();
    this.#settle.resolve();
  }

  /** The client is gone, now or while the end of the reply was on its way. */
  readonly #leave = (): void => {
    this.#writer.close();
    if (this.#over) return;
    this.#over = true;
    this.#request.reply.abort();
    this.#request.tally.outcome = 'client_gone';
    this.#settle.resolve();
  };
}

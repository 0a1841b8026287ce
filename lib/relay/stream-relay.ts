import { GatewayError } from '../errors/gateway-error.ts';
import type { LineFacts } from '../ollama/replies/line-facts.ts';
import type { ReplyReceiver } from '../upstream/reply.ts';
import { ClientWriter } from './client-writer.ts';
import { isOwnFailure, lineTooLong, notAReply, replyTooLong } from './failures.ts';
import { Heartbeat } from './heartbeat.ts';
import { LineCount } from './line-count.ts';
import { LineSplitter } from './line-splitter.ts';
import { noteLast } from './note-last.ts';
import { sendHead } from './reply-head.ts';
import { openMemory } from './relay-request.ts';
import type { RelayParts, RelayRequest } from './relay-request.ts';
import type { ReplyMemory } from './reply-memory.ts';
import type { StreamForm } from './stream-form.ts';

const NEWLINE = 0x0a;

/** The form that is wanted, and who hears of the end. */
export interface StreamParts {
  readonly form: StreamForm;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Streams a reply to its client line by line, in the form that was asked for (SPEC §6). Resolves
 * when the response was ended or the client is gone; the tally then says how it ended. Rejects with a
 * failure before the first good line: nothing was sent; and with one of ours after it, once the client
 * was told and the response has closed.
 */
export class StreamRelay implements ReplyReceiver {
  readonly #parts: RelayParts;
  readonly #request: RelayRequest;
  readonly #form: StreamForm;
  readonly #settle: Pick<StreamParts, 'resolve' | 'reject'>;
  readonly #memory: ReplyMemory;
  readonly #splitter: LineSplitter;
  readonly #writer: ClientWriter;
  readonly #count: LineCount;
  #heartbeat: Heartbeat | null = null;
  #bytesIn = 0;
  /** A large line is being read in a thread: those after it wait. */
  #reading = false;
  #ended = false;
  #over = false;

  constructor(parts: RelayParts, request: RelayRequest, { form, ...settle }: StreamParts) {
    this.#parts = parts;
    this.#request = request;
    this.#form = form;
    this.#settle = settle;
    this.#memory = openMemory(parts, request);
    this.#splitter = new LineSplitter(parts.limits.maxLineBytes, this.#memory);
    this.#count = new LineCount(request);
    this.#writer = new ClientWriter({
      response: request.exchange.response,
      tally: request.tally,
      readerTimeoutMs: parts.limits.readerTimeoutMs,
      onFree: () => {
        if (!this.#reading) request.reply.resume();
      },
      onStuck: () => {
        if (request.tally.cutFor === null) request.tally.outcome = 'client_gone';
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
    const { keepAlive } = this.#form;
    if (keepAlive !== null) this.#beat(Buffer.from(keepAlive));
    this.#request.reply.receive(this);
  }

  /** Shows a client, and proxies before it, that its stream lives while nothing comes. */
  #beat(keepAlive: Buffer): void {
    this.#heartbeat = new Heartbeat(this.#request.beats, () => {
      if (!this.#writer.blocked) this.#push(keepAlive);
    });
  }

  onBytes(chunk: Buffer): boolean {
    if (this.#over) return true;
    try {
      this.#bytesIn += chunk.length;
      if (this.#bytesIn > this.#parts.limits.maxReplyBytes) throw replyTooLong();
      const piece = this.#splitter.push(chunk);
      if (piece) this.#accept(piece, 0);
    } catch (error) {
      this.#fail(error);
    }
    return !this.#writer.blocked && !this.#reading;
  }

  onEnd(): void {
    if (this.#over) return;
    this.#ended = true;
    try {
      const rest = this.#splitter.takeRest();
      // A last line without its newline is one if it can be read.
      if (rest) this.#accept(Buffer.concat([rest, Buffer.of(NEWLINE)]), 0);
      this.#goOn();
    } catch (error) {
      this.#fail(error);
    }
  }

  onFailure(error: GatewayError): void {
    if (!this.#over) this.#fail(error);
  }

  /** Passes whole lines on; before a bad or a large one, those that were good. */
  #accept(piece: Buffer, from: number): void {
    if (this.#over) return;
    const { maxLineBytes, largeReplyBytes } = this.#parts.limits;
    let start = from;
    try {
      while (start < piece.length) {
        const end = piece.indexOf(NEWLINE, start) + 1;
        const line = start === 0 && end === piece.length ? piece : piece.subarray(start, end);
        if (line.length > maxLineBytes) throw lineTooLong();
        if (line.length > largeReplyBytes) {
          this.#readLarge(line, piece.subarray(end));
          return;
        }
        this.#count.check();
        this.#form.take({ bytes: line, last: this.#ended });
        this.#count.note(line);
        start = end;
      }
    } finally {
      const whole = from === 0 && start === piece.length;
      if (start > from) this.#pass(whole ? piece : piece.subarray(from, start));
    }
  }

  /** Reads a line in a thread, whatever it begins with; then it goes on with those after it. */
  #readLarge(line: Buffer, rest: Buffer): void {
    this.#reading = true;
    this.#memory
      .during(this.#form.takeLarge(line, this.#memory))
      .then(() => {
        if (this.#over) return;
        this.#reading = false;
        this.#count.check();
        this.#count.note(line);
        this.#pass(line);
        this.#accept(rest, 0);
        this.#goOn();
      })
      .catch((error: unknown) => {
        if (!this.#over) this.#fail(error);
      });
  }

  #goOn(): void {
    if (this.#over || this.#reading) return;
    if (this.#ended) this.#finish();
    else if (!this.#writer.blocked) this.#request.reply.resume();
  }

  #pass(piece: Buffer): void {
    const bytes = this.#form.flush(piece);
    if (!bytes) return;
    this.#push(bytes);
    // The client has all of it: nobody waits for the end of the upstream's body, which brings nothing.
    if (this.#form.told) this.#finish();
    else this.#heartbeat?.delay();
  }

  #push(bytes: Buffer): void {
    const { response } = this.#request.exchange;
    if (!response.headersSent) sendHead(this.#request, this.#form.headers);
    this.#writer.push(bytes);
  }

  /** The body ended as HTTP wants it; the last line tells whether the reply did. */
  #finish(): void {
    const last = this.#noteLast();
    if (!last) throw notAReply();
    const fault = this.#form.finish(last);
    if (fault) this.#push(Buffer.from(this.#form.toErrorFrame(fault)));
    this.#end(last.done ? 'ok' : 'upstream_incomplete');
  }

  #fail(error: unknown): void {
    const { reply, tally, exchange } = this.#request;
    reply.abort();
    if (this.#over) return;
    const own = isOwnFailure(error);
    if (!own) tally.outcome = 'upstream_error';
    this.#noteLast();
    if (!(error instanceof GatewayError) || !exchange.response.headersSent) {
      this.#stop();
      // What was sent may end within a frame: nothing can be told behind it.
      if (exchange.response.headersSent) exchange.response.destroy();
      this.#settle.reject(error);
      return;
    }
    this.#writer.push(Buffer.from(this.#form.toErrorFrame(error)));
    if (own) this.#endRefused(error);
    else this.#end('upstream_error');
  }

  /** The client is told in the reply; whoever keeps books hears of it once all was sent. */
  #endRefused(error: GatewayError): void {
    this.#stop();
    this.#writer.end();
    void this.#request.exchange.closed.then(() => {
      this.#settle.reject(error);
    });
  }

  #end(outcome: 'ok' | 'upstream_incomplete' | 'upstream_error'): void {
    this.#stop();
    this.#request.tally.outcome = outcome;
    this.#writer.end();
    this.#settle.resolve();
  }

  #stop(): void {
    this.#over = true;
    this.#heartbeat?.stop();
  }

  /** Whatever ends the reply: what its last line told is known. */
  #noteLast(): LineFacts | null {
    const last = this.#form.readLast();
    noteLast(this.#request.tally, last);
    return last;
  }

  /** The client is gone, now or while the end of the reply was on its way. */
  readonly #leave = (): void => {
    this.#writer.close();
    if (this.#over) return;
    this.#stop();
    this.#request.reply.abort();
    this.#request.tally.outcome = 'client_gone';
    this.#noteLast();
    this.#settle.resolve();
  };
}

import type { Client, Dispatcher } from 'undici';
import type { GatewayError } from '../errors/gateway-error.ts';
import type { Clock } from '../time/clock.ts';
import { Backlog } from './backlog.ts';
import type { Pass } from './breaker.ts';
import { ErrorText } from './error-text.ts';
import {
  cannotConnect,
  clientGone,
  connectionBroke,
  firstByteTimedOut,
  stalled,
  tookTooLong,
} from './failures.ts';
import type { ForwardRequest } from './forward-request.ts';
import { isLarge, streamBody } from './outgoing-body.ts';
import { ReplyStart, judgeError } from './reply-start.ts';
import type { ReplyReceiver, UpstreamReply } from './reply.ts';
import { rewordError } from './reword-error.ts';
import type { Swept, Sweeper } from './sweeper.ts';
import type { Entered, Upstream } from './upstream.ts';

export interface AttemptLimits {
  readonly connectTimeoutMs: number;
  /** From the start to the response head: a cold model loads. */
  readonly firstByteTimeoutMs: number;
  readonly chunkTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

export interface AttemptParts {
  readonly sweeper: Sweeper;
  readonly clock: Clock;
  readonly limits: AttemptLimits;
}

/** How long the text of an error may take: it only helps to word the refusal. */
const ERROR_TEXT_MS = 2_000;

/** A body that is streamed has no length that undici could know. */
function toDispatch({ path, body, headers }: ForwardRequest): Dispatcher.DispatchOptions {
  if (!isLarge(body)) return { method: 'POST', path, body: body.bytes, headers };
  const length = String(body.bytes.length);
  return {
    method: 'POST',
    path,
    body: streamBody(body),
    headers: [...headers, 'content-length', length],
  };
}

type Phase = 'connecting' | 'waiting' | 'refused' | 'open' | 'over';

/**
 * One request on one connection, from the connect to the last byte: undici's handler, the reply
 * that the relay reads, and the deadlines of both. Whatever ends it early destroys the socket,
 * which is the only way to stop the work upstream.
 *
 * It also tells the breaker what it saw: a success is the first token, not the head of a 200. A
 * connection that broke before it is a failure like a 5xx: a server that crashes sends no status.
 */
export class Attempt implements Dispatcher.DispatchHandler, UpstreamReply, Swept {
  /** The request was handed to a socket: from here on it may have been read. */
  written = false;
  readonly #parts: AttemptParts;
  readonly #upstream: Upstream;
  readonly #pass: Pass;
  readonly #request: ForwardRequest;
  readonly #client: Client;
  readonly #startedAtMs: number;
  readonly #backlog = new Backlog();
  /** Chunks of the upstream before this request. */
  readonly #chunksBefore: number;
  #phase: Phase = 'connecting';
  #settleOpen: ((failure: GatewayError | null) => void) | null = null;
  #controller: Dispatcher.DispatchController | null = null;
  #errorText: ErrorText | null = null;
  /** Null: the first token has come, or what comes instead of it. */
  #start: ReplyStart | null = new ReplyStart();
  #moved = false;
  #movedAtMs = 0;

  constructor(parts: AttemptParts, { upstream, pass }: Entered, request: ForwardRequest) {
    this.#parts = parts;
    this.#upstream = upstream;
    this.#pass = pass;
    this.#request = request;
    this.#client = upstream.connections.take(request.tenantId);
    this.#chunksBefore = upstream.chunks;
    this.#startedAtMs = parts.clock.monotonicMs();
  }

  /** Sends the request; settles with null at the head of a 200, else with the failure. */
  open(): Promise<GatewayError | null> {
    const { gone } = this.#request;
    return new Promise((resolve) => {
      this.#settleOpen = resolve;
      this.#parts.sweeper.add(this);
      gone.addEventListener('abort', this.#onGone, { once: true });
      this.#client.dispatch(toDispatch(this.#request), this);
    });
  }

  receive(receiver: ReplyReceiver): void {
    if (this.#backlog.receive(receiver)) this.#controller?.resume();
  }

  resume(): void {
    if (this.#backlog.resume()) this.#controller?.resume();
  }

  abort(): void {
    this.#backlog.close();
    this.#finish();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#phase = 'waiting';
    // undici begins to write right after this, in the same turn.
    this.written = true;
    this.#request.tally.written = true;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200 || this.#phase !== 'waiting') return;
    const nowMs = this.#parts.clock.monotonicMs();
    this.#request.tally.firstByteAtMs = nowMs;
    this.#movedAtMs = nowMs;
    if (status === 200) {
      this.#phase = 'open';
      this.#settle(null);
      return;
    }
    this.#phase = 'refused';
    this.#errorText = new ErrorText(status);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#moved = true;
    if (this.#phase === 'open') {
      this.#upstream.chunks += 1;
      if (this.#start && !this.#readStart(this.#start, chunk)) return;
      if (!this.#backlog.add(chunk)) controller.pause();
    } else if (this.#errorText?.add(chunk) === false) {
      this.#refuse(this.#errorText);
    }
  }

  onResponseEnd(): void {
    if (this.#phase === 'refused' && this.#errorText) this.#refuse(this.#errorText);
    else if (this.#phase === 'open') {
      if (this.#start) this.#pass.judge(this.#start.end());
      this.#phase = 'over';
      this.#parts.sweeper.remove(this);
      this.#upstream.connections.giveBack(this.#client, this.#request.tenantId);
      this.#backlog.end(this.#start?.readError() ?? null);
    }
  }

  onResponseError(): void {
    // The status of an error has come, and says more than that its text broke off.
    if (this.#phase === 'refused' && this.#errorText) this.#refuse(this.#errorText);
    else {
      this.#pass.judge('failure');
      this.#fail(this.#phase === 'connecting' ? cannotConnect() : connectionBroke());
    }
  }

  sweep(nowMs: number): void {
    const { limits } = this.#parts;
    const ageMs = nowMs - this.#startedAtMs;
    if (ageMs > limits.requestTimeoutMs) this.#timeOut(tookTooLong());
    else if (this.#phase === 'connecting' && ageMs > limits.connectTimeoutMs) {
      this.#pass.judge('failure');
      this.#fail(cannotConnect());
    } else if (this.#phase === 'waiting' && ageMs > limits.firstByteTimeoutMs) {
      this.#timeOut(firstByteTimedOut());
    } else if (this.#phase === 'refused' && this.#errorText) {
      if (nowMs - this.#movedAtMs > ERROR_TEXT_MS) this.#refuse(this.#errorText);
    } else if (this.#phase === 'open') this.#sweepBody(nowMs);
  }

  #sweepBody(nowMs: number): void {
    // Time in which the client did not read is the client's, not the upstream's.
    if (this.#moved || this.#backlog.paused) {
      this.#moved = false;
      this.#movedAtMs = nowMs;
    } else if (nowMs - this.#movedAtMs > this.#parts.limits.chunkTimeoutMs)
      this.#timeOut(stalled());
  }

  readonly #onGone = (): void => {
    this.#settle(clientGone());
    this.abort();
  };

  /** False: it is an error line, a status that came too late to be one; nothing of it goes on. */
  #readStart(start: ReplyStart, chunk: Buffer): boolean {
    const verdict = start.read(chunk);
    if (verdict === undefined) return true;
    this.#start = null;
    this.#pass.judge(verdict);
    const error = start.readError();
    if (error) this.#fail(error);
    return !error;
  }

  #refuse(error: ErrorText): void {
    const text = error.read();
    this.#pass.judge(judgeError(error.status, text));
    this.#fail(rewordError(error.status, text));
  }

  #timeOut(failure: GatewayError): void {
    // An upstream that went on with other requests meanwhile is busy, not gone.
    if (this.#upstream.chunks === this.#chunksBefore) this.#pass.judge('failure');
    this.#fail(failure);
  }

  #fail(failure: GatewayError): void {
    if (this.#phase === 'over') return;
    if (this.#phase === 'open') this.#backlog.end(failure);
    this.#settle(failure);
    this.#finish();
  }

  #settle(failure: GatewayError | null): void {
    const settle = this.#settleOpen;
    if (!settle) return;
    this.#settleOpen = null;
    // From here on the relay listens to the client.
    this.#request.gone.removeEventListener('abort', this.#onGone);
    settle(failure);
  }

  #finish(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    // What was not judged until now ends for a reason of the client's or ours.
    this.#pass.judge('none');
    this.#parts.sweeper.remove(this);
    this.#upstream.connections.drop(this.#client);
  }
}

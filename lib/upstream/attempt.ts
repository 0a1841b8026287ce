import type { Client, Dispatcher } from 'undici';
import type { GatewayError } from '../errors/gateway-error.ts';
import type { Clock } from '../time/clock.ts';
import type { UpstreamConnections } from './connections.ts';
import { Backlog } from './backlog.ts';
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
import type { ReplyReceiver, UpstreamReply } from './reply.ts';
import { rewordError } from './reword-error.ts';
import type { Swept, Sweeper } from './sweeper.ts';

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
 */
export class Attempt implements Dispatcher.DispatchHandler, UpstreamReply, Swept {
  /** The request was handed to a socket: from here on it may have been read. */
  written = false;
  readonly #parts: AttemptParts;
  readonly #upstream: UpstreamConnections;
  readonly #request: ForwardRequest;
  readonly #client: Client;
  readonly #startedAtMs: number;
  readonly #backlog = new Backlog();
  #phase: Phase = 'connecting';
  #settleOpen: ((failure: GatewayError | null) => void) | null = null;
  #controller: Dispatcher.DispatchController | null = null;
  #errorText: ErrorText | null = null;
  #moved = false;
  #movedAtMs = 0;

  constructor(parts: AttemptParts, upstream: UpstreamConnections, request: ForwardRequest) {
    this.#parts = parts;
    this.#upstream = upstream;
    this.#request = request;
    this.#client = upstream.take(request.tenantId);
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
      if (!this.#backlog.add(chunk)) controller.pause();
    } else if (this.#errorText?.add(chunk) === false) {
      this.#refuse(this.#errorText);
    }
  }

  onResponseEnd(): void {
    if (this.#phase === 'refused' && this.#errorText) this.#refuse(this.#errorText);
    else if (this.#phase === 'open') {
      this.#phase = 'over';
      this.#parts.sweeper.remove(this);
      this.#upstream.giveBack(this.#client, this.#request.tenantId);
      this.#backlog.end(null);
    }
  }

  onResponseError(): void {
    this.#fail(this.#phase === 'connecting' ? cannotConnect() : connectionBroke());
  }

  sweep(nowMs: number): void {
    const { limits } = this.#parts;
    const ageMs = nowMs - this.#startedAtMs;
    if (ageMs > limits.requestTimeoutMs) this.#fail(tookTooLong());
    else if (this.#phase === 'connecting' && ageMs > limits.connectTimeoutMs) {
      this.#fail(cannotConnect());
    } else if (this.#phase === 'waiting' && ageMs > limits.firstByteTimeoutMs) {
      this.#fail(firstByteTimedOut());
    } else if (this.#phase === 'refused' && this.#errorText) {
      if (nowMs - this.#movedAtMs > ERROR_TEXT_MS) this.#refuse(this.#errorText);
    } else if (this.#phase === 'open') this.#sweepBody(nowMs);
  }

  #sweepBody(nowMs: number): void {
    // Time in which the client did not read is the client's, not the upstream's.
    if (this.#moved || this.#backlog.paused) {
      this.#moved = false;
      this.#movedAtMs = nowMs;
    } else if (nowMs - this.#movedAtMs > this.#parts.limits.chunkTimeoutMs) this.#fail(stalled());
  }

  readonly #onGone = (): void => {
    this.#settle(clientGone());
    this.abort();
  };

  #refuse(text: ErrorText): void {
    this.#fail(rewordError(text.status, text.read()));
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
    this.#parts.sweeper.remove(this);
    this.#upstream.drop(this.#client);
  }
}

import type { GatewayError } from '../errors/gateway-error.ts';

/** Takes what an upstream sends, in order. Exactly one of onEnd and onFailure comes last. */
export interface ReplyReceiver {
  /** A chunk of the body. False: nothing more may come until `resume()`. */
  onBytes(chunk: Buffer): boolean;
  /** The body ended as HTTP says it should; whether the reply is whole is the receiver's question. */
  onEnd(): void;
  /** Reset, stall, deadline: already in our words. */
  onFailure(error: GatewayError): void;
}

/** A 200 whose body has not begun to flow. */
export interface UpstreamReply {
  /** Lets the body flow into `receiver`. Called once. */
  receive(receiver: ReplyReceiver): void;
  /** Goes on after `onBytes` said false. */
  resume(): void;
  /** Destroys the upstream's socket, which is what ends the work there. Nothing is called after it. */
  abort(): void;
}

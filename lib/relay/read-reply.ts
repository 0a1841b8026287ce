import { isOwnFailure } from './failures.ts';
import type { RelayRequest } from './relay-request.ts';

/** Takes a reply for a client that gets nothing before its end. */
export interface WholeReader<T> {
  /** Of a promise the upstream waits for its end. */
  onChunk(chunk: Buffer): Promise<void> | undefined;
  /** After the last chunk: what becomes of the reply. */
  onEnd(): Promise<T>;
}

/**
 * Reads a reply to its end, and makes of it what is sent. Null: the client is gone, and with it the
 * upstream's work.
 *
 * @throws GatewayError what ended the reply, or what the reader threw; the upstream is cut
 */
export function readReply<T>(
  { exchange, reply, tally }: RelayRequest,
  reader: WholeReader<T>,
): Promise<T | null> {
  const { promise, resolve, reject } = Promise.withResolvers<T | null>();
  const { gone } = exchange;
  let over = false;

  const finish = (value: T | null): void => {
    if (over) return;
    over = true;
    gone.removeEventListener('abort', leave);
    resolve(value);
  };
  const leave = (): void => {
    tally.outcome = 'client_gone';
    reply.abort();
    finish(null);
  };
  const fail = (error: unknown): void => {
    if (over) return;
    over = true;
    gone.removeEventListener('abort', leave);
    reply.abort();
    if (!isOwnFailure(error)) tally.outcome = 'upstream_error';
    reject(error);
  };
  if (gone.aborted) {
    leave();
    return promise;
  }
  gone.addEventListener('abort', leave, { once: true });
  reply.receive({
    onBytes(chunk) {
      if (over) return true;
      try {
        const work = reader.onChunk(chunk);
        work?.then(() => {
          if (!over) reply.resume();
        }, fail);
        return work === undefined;
      } catch (error) {
        fail(error);
        return true;
      }
    },
    onEnd() {
      if (!over) reader.onEnd().then(finish, fail);
    },
    // Also what we cut while the end is worked on.
    onFailure: fail,
  });
  return promise;
}

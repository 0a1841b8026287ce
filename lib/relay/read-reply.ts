import type { RelayRequest } from './relay-request.ts';

/**
 * Reads a reply to its end for a client that gets nothing before it. False: the client is gone,
 * and with it the upstream's work.
 *
 * @throws GatewayError what ended the reply, or what `onChunk` threw; the upstream is cut
 */
export function readReply(
  { exchange, reply, tally }: RelayRequest,
  onChunk: (chunk: Buffer) => void,
): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const { gone } = exchange;
  let over = false;

  const cut = (outcome: 'client_gone' | 'upstream_error'): void => {
    over = true;
    gone.removeEventListener('abort', leave);
    reply.abort();
    tally.outcome = outcome;
  };
  const leave = (): void => {
    cut('client_gone');
    resolve(false);
  };
  const fail = (error: unknown): void => {
    cut('upstream_error');
    reject(error);
  };
  if (gone.aborted) {
    leave();
    return promise;
  }
  gone.addEventListener('abort', leave, { once: true });
  reply.receive({
    onBytes(chunk) {
      try {
        if (!over) onChunk(chunk);
      } catch (error) {
        fail(error);
      }
      return true;
    },
    onEnd() {
      gone.removeEventListener('abort', leave);
      if (!over) resolve(true);
    },
    onFailure(error) {
      if (!over) fail(error);
    },
  });
  return promise;
}

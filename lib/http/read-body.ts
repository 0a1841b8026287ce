import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../errors/gateway-error.ts';
import { BodyCollector } from './body-collector.ts';
import { tooLarge } from './body-faults.ts';
import type { Reservation } from './reservation.ts';
import type { Exchange } from './exchange.ts';

export interface BodyLimits {
  readonly maxBodyBytes: number;
  readonly bodyTimeoutMs: number;
}

export interface Body {
  readonly length: number;
  /** In order; together they are the body. */
  readonly pieces: readonly Buffer[];
  /** Buffers of the pieces that nobody else uses. */
  readonly owned: readonly ArrayBuffer[];
}

/**
 * Reads the whole body (SPEC §2.1.4) within what `reservation` can get; to give it back is the
 * caller's task, whatever comes of it. A client that waits for `100 Continue` gets it now: by then
 * its key is known.
 * @throws GatewayError `unsupported_encoding`, `request_too_large`, `request_timeout`,
 *   `overloaded`, `invalid_request` (no body, or the client left)
 */
export async function readBody(
  exchange: Exchange,
  limits: BodyLimits,
  reservation: Reservation,
): Promise<Body> {
  const { request, response } = exchange;
  checkEncoding(request);
  const declaredBytes = readDeclaredBytes(request, limits.maxBodyBytes);
  const collector = new BodyCollector(reservation, {
    maxBytes: limits.maxBodyBytes,
    declaredBytes,
  });
  if (request.headers.expect !== undefined && request.httpVersion === '1.1') {
    response.writeContinue();
  }
  await receive(request, collector, limits.bodyTimeoutMs);
  if (collector.bytes === 0) throw new GatewayError('invalid_request', 'The request has no body');
  return { length: collector.bytes, pieces: collector.finish(), owned: collector.listOwned() };
}

function checkEncoding(request: IncomingMessage): void {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new GatewayError('unsupported_encoding', 'The body must not be compressed');
  }
}

/** What Content-Length says; null for a chunked body, whose size nobody knows. */
function readDeclaredBytes(request: IncomingMessage, maxBytes: number): number | null {
  if (request.headers['transfer-encoding'] !== undefined) return null;
  const bytes = Number(request.headers['content-length'] ?? 0);
  if (bytes === 0) throw new GatewayError('invalid_request', 'The request has no body');
  if (bytes <= maxBytes) return bytes;
  throw tooLarge(maxBytes);
}

function receive(
  request: IncomingMessage,
  collector: BodyCollector,
  timeoutMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop(toFault('request_timeout', 'The body did not arrive in time'));
    }, timeoutMs);

    function stop(error: GatewayError | null): void {
      clearTimeout(timer);
      request.off('data', onData);
      request.off('end', onEnd);
      request.off('close', onClose);
      if (error === null) {
        resolve();
        return;
      }
      request.pause();
      reject(error);
    }

    function onData(chunk: Buffer): void {
      const fault = collector.add(chunk);
      if (fault) stop(fault);
    }

    function onEnd(): void {
      stop(null);
    }

    function onClose(): void {
      stop(toFault('invalid_request', 'The connection ended before the body did'));
    }

    request.on('data', onData);
    request.on('end', onEnd);
    request.on('close', onClose);
    // It may have ended while the key was looked up; then no event will come.
    if (request.destroyed) onClose();
  });
}

function toFault(code: 'request_timeout' | 'invalid_request', message: string): GatewayError {
  return new GatewayError(code, message, { closeConnection: true });
}

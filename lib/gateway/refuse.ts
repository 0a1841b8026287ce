import type { Lease } from '../admission/lease.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { invalidKey } from '../errors/invalid-key.ts';
import type { Call } from '../http/call.ts';
import type { Exchange } from '../http/exchange.ts';
import { sendRefusal } from '../http/reply.ts';
import { describeError } from '../log/logger.ts';
import type { Logger } from '../log/logger.ts';
import { endEvents } from '../relay/event-head.ts';
import { wantsEvents } from '../relay/relay.ts';
import type { Tally } from '../upstream/tally.ts';

/** What is known of a request that is refused. */
export interface RefusedFacts {
  readonly call?: Pick<Call, 'streamed' | 'wishes'>;
  readonly lease?: Pick<Lease, 'numPredict' | 'headers'>;
  readonly tally?: Pick<Tally, 'outputLines' | 'bytesOut'>;
}

/**
 * Tells the client why not. The one place where an error that nobody expected becomes a 500: it is
 * logged with the request's id and without its contents. Of `facts` the lease tells what was left of
 * limits; and whether the client waits for events, which can be told after the head.
 */
export function refuse(
  exchange: Exchange,
  error: unknown,
  log: Logger,
  { call, lease, tally }: RefusedFacts = {},
): GatewayError {
  const refusal = toRefusal(exchange, error, log);
  const { response } = exchange;
  if (response.headersSent && call && wantsEvents(call)) endEvents(response, refusal, tally);
  else
    sendRefusal(exchange, refusal, [
      ...(lease ? listLeaseHeaders(lease) : []),
      ...(hasWorked(refusal, tally) ? ['x-should-retry', 'false'] : []),
    ]);
  return refusal;
}

/** Before the head a key that was revoked while its request ran is refused as any that is not valid. */
function toRefusal(exchange: Exchange, error: unknown, log: Logger): GatewayError {
  if (!(error instanceof GatewayError)) return toInternalError(exchange, error, log);
  return error.code === 'revoked' && !exchange.response.headersSent ? invalidKey() : error;
}

/**
 * The model has worked for it, or was waited for in vain: a library that asks again by itself would
 * double the load just when the host is sick.
 */
function hasWorked({ status, code }: GatewayError, tally: RefusedFacts['tally']): boolean {
  if (code === 'upstream_timeout') return true;
  return status === 502 && tally !== undefined && tally.outputLines > 0;
}

/** What the reply of an admitted request would have told. */
function listLeaseHeaders({ numPredict, headers }: Pick<Lease, 'numPredict' | 'headers'>) {
  return numPredict === null ? headers : ['x-nzgw-max-tokens', String(numPredict), ...headers];
}

function toInternalError(exchange: Exchange, error: unknown, log: Logger): GatewayError {
  log.error(
    {
      event: 'internal_error',
      request_id: exchange.admissionId,
      ...describeError(error),
      'error.at': whereThrown(error),
    },
    'a request failed for a reason that the gateway does not know',
  );
  return new GatewayError(
    'internal_error',
    'The gateway failed. The request id helps to find why.',
  );
}

/**
 * The innermost frame: a place in the code, never a value. The stack begins with the message, whose
 * lines may look like frames; where it cannot be cut off there is no place to tell.
 */
function whereThrown(error: unknown): string | undefined {
  const { stack = '', message } = error instanceof Error ? error : { message: '' };
  const start = stack.indexOf(message);
  const frames = start === -1 ? '' : stack.slice(start + message.length);
  return /\n\s+at .*?([\w.-]+\.[jt]s:\d+:\d+)/.exec(frames)?.[1];
}

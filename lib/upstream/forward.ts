import type { GatewayError } from '../errors/gateway-error.ts';
import type { Clock } from '../time/clock.ts';
import { Attempt } from './attempt.ts';
import type { AttemptLimits } from './attempt.ts';
import { orderUpstreams } from './choose-upstream.ts';
import { UpstreamConnections } from './connections.ts';
import { clientGone, noUpstream, tooManyInFlight } from './failures.ts';
import type { ForwardRequest } from './forward-request.ts';
import type { UpstreamReply } from './reply.ts';
import { Sweeper } from './sweeper.ts';

export type { ForwardRequest } from './forward-request.ts';

/** What forwarding needs; lives as long as the worker. */
export interface Forwarder {
  readonly upstreams: readonly UpstreamConnections[];
  readonly sweeper: Sweeper;
  readonly clock: Clock;
  readonly limits: AttemptLimits;
}

export interface ForwarderOptions {
  /** Origins, in the order of OLLAMA_URL. */
  readonly origins: readonly string[];
  readonly clock: Clock;
  readonly limits: AttemptLimits;
  /** How exactly deadlines are met. */
  readonly tickMs?: number;
}

const TICK_MS = 250;

export function openForwarder(options: ForwarderOptions): Forwarder {
  return {
    upstreams: options.origins.map(
      (origin) => new UpstreamConnections(origin, options.limits.connectTimeoutMs),
    ),
    sweeper: new Sweeper(options.clock, options.tickMs ?? TICK_MS),
    clock: options.clock,
    limits: options.limits,
  };
}

/** Ends every upstream request that still runs. */
export async function closeForwarder(forwarder: Forwarder): Promise<void> {
  await Promise.all(forwarder.upstreams.map((upstream) => upstream.close()));
}

/**
 * Sends a request to an upstream that has the model, and waits for its 200. A connection that
 * cannot be made moves on to the next upstream; once a request was handed to a socket, nothing is
 * ever tried again, because an inference may have begun (SPEC §6).
 *
 * @throws GatewayError 502 and 504 for what upstreams do, 400 for what they refuse and we can
 *   name, 503 when they are busy or have lost the model
 */
export async function forward(
  forwarder: Forwarder,
  request: ForwardRequest,
): Promise<UpstreamReply> {
  try {
    return await tryUpstreams(forwarder, request);
  } catch (error) {
    // Who refused before anything was sent, and whether the client left or we cut, others know.
    if (request.tally.written && !request.gone.aborted) request.tally.outcome = 'upstream_error';
    throw error;
  }
}

async function tryUpstreams(forwarder: Forwarder, request: ForwardRequest): Promise<UpstreamReply> {
  let failure: GatewayError | null = null;
  for (const position of orderUpstreams(request.upstreams, forwarder.upstreams)) {
    if (hasGone(request)) throw clientGone();
    const upstream = forwarder.upstreams[position];
    if (!upstream || upstream.full) {
      failure = tooManyInFlight();
      continue;
    }
    const attempt = new Attempt(forwarder, upstream, request);
    const opened = await attempt.open();
    if (opened === null) return attempt;
    if (attempt.written || hasGone(request)) throw opened;
    failure = opened;
  }
  throw failure ?? noUpstream();
}

function hasGone(request: ForwardRequest): boolean {
  return request.gone.aborted;
}

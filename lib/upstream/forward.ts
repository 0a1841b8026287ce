import type { GatewayError } from '../errors/gateway-error.ts';
import type { Clock } from '../time/clock.ts';
import { Attempt } from './attempt.ts';
import type { AttemptLimits } from './attempt.ts';
import { Breaker } from './breaker.ts';
import type { BreakerRules } from './breaker.ts';
import { orderUpstreams } from './choose-upstream.ts';
import { UpstreamConnections } from './connections.ts';
import { allResting, clientGone, noUpstream, tooManyInFlight } from './failures.ts';
import type { ForwardRequest } from './forward-request.ts';
import type { UpstreamReply } from './reply.ts';
import { Sweeper } from './sweeper.ts';
import type { Entered, Upstream } from './upstream.ts';

export type { ForwardRequest } from './forward-request.ts';

/** What forwarding needs; lives as long as the worker. */
export interface Forwarder {
  /** In the order of the settings. */
  readonly upstreams: readonly Upstream[];
  readonly sweeper: Sweeper;
  readonly clock: Clock;
  readonly limits: AttemptLimits;
}

export interface ForwarderOptions {
  /** Origins, in the order of OLLAMA_URL. */
  readonly origins: readonly string[];
  readonly clock: Clock;
  readonly limits: AttemptLimits;
  readonly breaker: BreakerRules;
  /** How exactly deadlines are met. */
  readonly tickMs?: number;
}

const TICK_MS = 250;

export function openForwarder(options: ForwarderOptions): Forwarder {
  const { origins, clock, limits } = options;
  return {
    upstreams: origins.map((origin) => ({
      connections: new UpstreamConnections(origin, limits.connectTimeoutMs),
      breaker: new Breaker(options.breaker, clock),
      chunks: 0,
    })),
    sweeper: new Sweeper(clock, options.tickMs ?? TICK_MS),
    clock,
    limits,
  };
}

/** Ends every upstream request that still runs. */
export async function closeForwarder(forwarder: Forwarder): Promise<void> {
  await Promise.all(forwarder.upstreams.map(({ connections }) => connections.close()));
}

/**
 * Sends a request to an upstream that has the model, and waits for its 200. A connection that
 * cannot be made moves on to the next upstream; once a request was handed to a socket, nothing is
 * ever tried again, because an inference may have begun (SPEC §6).
 *
 * @throws GatewayError 502 and 504 for what upstreams do, 400 for what they refuse and we can
 *   name, 503 when they are busy, have lost the model, or failed too often
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
  const having = forwarder.upstreams.filter((_, position) => request.upstreams.includes(position));
  const untried = new Set(having);
  let failure: GatewayError | null = null;
  for (;;) {
    if (hasGone(request)) throw clientGone();
    const entered = enterFirst(untried);
    if (!entered) throw failure ?? whyNone(having);
    untried.delete(entered.upstream);
    const attempt = new Attempt(forwarder, entered, request);
    const opened = await attempt.open();
    if (opened === null) return attempt;
    if (attempt.written || hasGone(request)) throw opened;
    failure = opened;
  }
}

/** The best that takes a request now: chosen anew each time, a failed connect may take a while. */
function enterFirst(untried: ReadonlySet<Upstream>): Entered | null {
  for (const upstream of orderUpstreams([...untried])) {
    if (upstream.connections.full) continue;
    const pass = upstream.breaker.enter();
    if (pass) return { upstream, pass };
  }
  return null;
}

/** None that has the model took it: where a breaker would, the connections were too many. */
function whyNone(having: readonly Upstream[]): GatewayError {
  if (having.length === 0) return noUpstream();
  const waitMs = Math.min(...having.map(({ breaker }) => breaker.waitMs()));
  return waitMs > 0 ? allResting(waitMs) : tooManyInFlight();
}

function hasGone(request: ForwardRequest): boolean {
  return request.gone.aborted;
}

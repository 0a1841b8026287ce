import { GatewayError } from '../../lib/errors/gateway-error.ts';
import type { Call } from '../../lib/http/call.ts';
import type { Exchange } from '../../lib/http/exchange.ts';
import type { CallReader } from '../../lib/http/read-call.ts';
import { readRoute } from '../../lib/http/read-route.ts';
import { sendRefusal } from '../../lib/http/reply.ts';
import { ByteBudget } from '../../lib/memory/byte-budget.ts';
import type { ReplyTask } from '../../lib/relay/reply-task.ts';
import { runReplyTask } from '../../lib/relay/reply-task.ts';
import type { BeatTimes } from '../../lib/relay/heartbeat.ts';
import { LargeReplies } from '../../lib/relay/large-replies.ts';
import type { RunReplyTask } from '../../lib/relay/large-replies.ts';
import { relay } from '../../lib/relay/relay.ts';
import type { LineObserver, RelayLimits, RelayParts } from '../../lib/relay/relay-request.ts';
import { systemClock } from '../../lib/time/clock.ts';
import type { AttemptLimits } from '../../lib/upstream/attempt.ts';
import { chooseOptions } from '../../lib/upstream/choose-options.ts';
import { closeForwarder, forward, openForwarder } from '../../lib/upstream/forward.ts';
import type { Forwarder } from '../../lib/upstream/forward.ts';
import { buildUpstreamBody } from '../../lib/upstream/request-body.ts';
import { buildUpstreamHeaders } from '../../lib/upstream/request-headers.ts';
import { startTally } from '../../lib/upstream/tally.ts';
import type { Tally } from '../../lib/upstream/tally.ts';
import { openFront } from './open-front.ts';
import type { FrontOptions } from './open-front.ts';

export interface RelayTestOptions {
  readonly origins: readonly string[];
  readonly limits?: Partial<AttemptLimits>;
  readonly relayLimits?: Partial<RelayLimits>;
  readonly numPredict?: number;
  readonly settings?: FrontOptions['settings'];
  readonly headers?: readonly string[];
  readonly observer?: LineObserver;
  /** Instead of reading large replies in this thread. */
  readonly runTask?: RunReplyTask;
  readonly memoryBytes?: number;
  readonly beats?: BeatTimes;
}

/** Steps 5 and 6 behind the first one, as the gateway joins them, without the others. */
export interface RelayTest {
  readonly url: string;
  readonly port: number;
  readonly forwarder: Forwarder;
  readonly reader: CallReader;
  /** One for each request, in order. */
  readonly tallies: Tally[];
  readonly refusals: GatewayError[];
  /** What the replies hold. */
  readonly memory: ByteBudget;
  close(): Promise<void>;
}

const LIMITS: AttemptLimits = {
  connectTimeoutMs: 1_000,
  firstByteTimeoutMs: 3_000,
  chunkTimeoutMs: 3_000,
  requestTimeoutMs: 60_000,
};

const RELAY_LIMITS: RelayLimits = {
  maxLineBytes: 8_388_608,
  maxAssembledBytes: 16_777_216,
  maxReplyBytes: 67_108_864,
  readerTimeoutMs: 3_000,
  deliveryTimeoutMs: 60_000,
  largeReplyBytes: 262_144,
};

const BEATS: BeatTimes = { firstMs: 20_000, everyMs: 15_000 };
const MEMORY_BYTES = 134_217_728;
const TICK_MS = 20;

export async function openRelay(options: RelayTestOptions): Promise<RelayTest> {
  const forwarder = openForwarder({
    origins: options.origins,
    clock: systemClock,
    limits: { ...LIMITS, ...options.limits },
    tickMs: TICK_MS,
    // Its tests are one failure after the other.
    breaker: { failures: 1_000, openMs: 5_000 },
  });
  const tallies: Tally[] = [];
  const refusals: GatewayError[] = [];
  const limits = { ...RELAY_LIMITS, ...options.relayLimits };
  const memory = new ByteBudget(options.memoryBytes ?? MEMORY_BYTES, limits.maxReplyBytes);
  const parts: RelayParts = {
    limits,
    memory,
    large: new LargeReplies(options.runTask ?? runHere),
  };
  const front = await openFront({
    ...(options.settings && { settings: options.settings }),
    async onExchange(exchange, { reader }) {
      const tally = startTally();
      tallies.push(tally);
      try {
        const route = readRoute(exchange);
        if (route.kind !== 'inference') throw new GatewayError('not_found', 'not here');
        const call = await reader.readCall(exchange, route.name, readTenantId(exchange));
        await forwardAndRelay(
          { options, forwarder, parts, tally },
          exchange,
          call,
          route.upstreamPath,
        );
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        refusals.push(error);
        sendRefusal(exchange, error);
      }
    },
  });
  return {
    url: `http://127.0.0.1:${front.port}`,
    port: front.port,
    forwarder,
    reader: front.reader,
    tallies,
    refusals,
    memory,
    async close() {
      await front.close();
      await closeForwarder(forwarder);
    },
  };
}

interface Parts {
  readonly options: RelayTestOptions;
  readonly forwarder: Forwarder;
  readonly parts: RelayParts;
  readonly tally: Tally;
}

async function forwardAndRelay(
  { options, forwarder, parts, tally }: Parts,
  exchange: Exchange,
  call: Call,
  path: string,
): Promise<void> {
  const generates = call.route === 'chat' || call.route === 'generate';
  const numPredict = generates ? (options.numPredict ?? 1_000) : null;
  const rules = { allowRuntimeOptions: false, maxNumCtx: null, numCtx: null, numPredict };
  const reply = await forward(forwarder, {
    path,
    body: call.members.become(
      buildUpstreamBody({
        call: { ...call, members: call.members.bytes },
        modelName: call.model,
        options: chooseOptions(call.options, rules),
        allowRuntimeOptions: false,
      }),
    ),
    headers: buildUpstreamHeaders(exchange.admissionId, exchange.request.headers['traceparent']),
    upstreams: options.origins.map((_, position) => position),
    tenantId: readTenantId(exchange),
    gone: exchange.gone,
    tally,
  });
  await relay(parts, {
    exchange,
    call,
    model: call.model,
    lease: { numPredict },
    tally,
    reply,
    ownerId: readTenantId(exchange),
    headers: options.headers ?? [],
    beats: options.beats ?? BEATS,
    ...(options.observer && { observer: options.observer }),
  });
}

function readTenantId({ request }: Exchange): string {
  return request.headers['x-tenant']?.toString() ?? 'acme';
}

/** What a thread does, done here: the result is the same plain data. */
export function runHere<T>(task: ReplyTask): Promise<T | null> {
  return Promise.resolve(runReplyTask(task) as T | null);
}

import type { Settings } from '../config/settings.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import type { Exchange } from '../http/exchange.ts';
import { ByteBudget } from '../memory/byte-budget.ts';
import { nameFields } from '../openai/name-fields.ts';
import { sendKeepAlive } from '../relay/event-head.ts';
import { Heartbeat } from '../relay/heartbeat.ts';
import type { BeatTimes } from '../relay/heartbeat.ts';
import { LargeReplies } from '../relay/large-replies.ts';
import { relay, wantsEvents } from '../relay/relay.ts';
import type { RelayParts } from '../relay/relay-request.ts';
import type { PromptLog } from '../promptlog/prompt-log.ts';
import type { ThreadPool } from '../threads/thread-pool.ts';
import type { Clock } from '../time/clock.ts';
import { clientGone } from '../upstream/failures.ts';
import { forward, openForwarder } from '../upstream/forward.ts';
import type { Forwarder } from '../upstream/forward.ts';
import { makeForwardRequest } from './forward-request.ts';
import type { ContextLengths } from './forward-request.ts';
import { beginPrompt } from './make-prompts.ts';
import type { Running } from './running.ts';
import type { RunningWatch } from './running-watch.ts';
import type { AdmittedFacts, Stages } from './stages.ts';

/** Step 5 as the settings want it. */
export function makeForwarder(settings: Settings, clock: Clock): Forwarder {
  return openForwarder({
    origins: settings.ollamaUrls,
    clock,
    limits: {
      connectTimeoutMs: settings.connectTimeoutSeconds * 1_000,
      firstByteTimeoutMs: settings.firstByteTimeoutSeconds * 1_000,
      chunkTimeoutMs: settings.chunkTimeoutSeconds * 1_000,
      requestTimeoutMs: settings.requestTimeoutSeconds * 1_000,
    },
    breaker: {
      failures: settings.breakerFailures,
      openMs: settings.breakerSeconds * 1_000,
    },
  });
}

export interface StreamingParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly running: Running;
  readonly watch: Pick<RunningWatch, 'check'>;
  readonly forwarder: Forwarder;
  readonly threads: ThreadPool;
  readonly contextLengths: ContextLengths;
  readonly prompts: PromptLog;
}

/** Steps 5 and 6 with their real parts; whoever runs can be cut from outside. */
export function makeStreaming(parts: StreamingParts): Pick<Stages, 'forward' | 'relay'> {
  const { settings, running, watch, forwarder, contextLengths, prompts } = parts;
  const relayParts = makeRelayParts(settings, parts.threads);
  return {
    forward: async (exchange, facts) => {
      const run = running.begin(exchange, facts);
      watch.check(run);
      const beats = wantsEvents(facts.call) ? beginBeats(parts, exchange, facts) : null;
      try {
        beginPrompt(prompts, facts);
        const request = makeForwardRequest(exchange, facts, contextLengths, run.signal);
        return run.follow(await forward(forwarder, request));
      } catch (error) {
        // Its memory is gone with a client that left: that is no want of room.
        throw run.reason ?? (exchange.gone.aborted ? clientGone() : inClientsWords(facts, error));
      } finally {
        beats?.stop();
      }
    },
    relay: async (exchange, facts, reply) => {
      const { call, grant, lease, tally, principal } = facts;
      try {
        await relay(relayParts, {
          exchange,
          call,
          model: grant.model.name,
          lease,
          tally,
          reply,
          ownerId: principal.tenant.tenantId,
          headers: lease.headers,
          observer: prompts.observe(lease.admissionId),
          beats: readBeats(parts, exchange),
        });
      } catch (error) {
        throw inClientsWords(facts, error);
      }
    },
  };
}

/** What the upstream refused is told by the names that the client used. */
function inClientsWords({ call }: AdmittedFacts, error: unknown): unknown {
  return call.wishes && error instanceof GatewayError ? nameFields(error, call.route) : error;
}

/** While the model loads: the head of Ollama's reply comes with its first token. */
function beginBeats(
  parts: StreamingParts,
  exchange: Exchange,
  { lease, tally }: AdmittedFacts,
): Heartbeat {
  return new Heartbeat(readBeats(parts, exchange), () => {
    sendKeepAlive({ exchange, lease, tally, headers: lease.headers });
  });
}

/** From now on: however long its body took to come, a refusal of the upstream is still a status. */
function readBeats({ settings }: StreamingParts, { response }: Exchange): BeatTimes {
  const everyMs = settings.eventsEverySeconds * 1_000;
  return { firstMs: response.headersSent ? everyMs : settings.eventsFirstSeconds * 1_000, everyMs };
}

/** Step 6 as the settings want it; large replies are read where large bodies are. */
function makeRelayParts(settings: Settings, threads: ThreadPool): RelayParts {
  return {
    limits: {
      maxLineBytes: settings.maxLineBytes,
      maxAssembledBytes: settings.maxAssembledBytes,
      maxReplyBytes: settings.maxReplyBytes,
      readerTimeoutMs: settings.readerTimeoutSeconds * 1_000,
      deliveryTimeoutMs: settings.requestTimeoutSeconds * 1_000,
      largeReplyBytes: settings.bodyThreadBytes,
    },
    memory: new ByteBudget(settings.bodyMemoryBytes, settings.maxReplyBytes),
    large: new LargeReplies((task, transfer) => threads.runReserved(task, transfer)),
  };
}

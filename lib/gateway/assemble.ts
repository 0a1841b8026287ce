import { authorise } from '../access/authorise.ts';
import type { Access } from '../access/authorise.ts';
import { openModelLists } from '../access/model-list.ts';
import { chooseNumPredict } from '../admission/num-predict.ts';
import { makeAddressCut } from '../audit/client-address.ts';
import type { FindKey } from '../auth/key-directory.ts';
import type { RenewKey } from '../auth/renewal.ts';
import type { Settings } from '../config/settings.ts';
import { openCatalogue } from '../discovery/catalogue.ts';
import type { Listing } from '../discovery/listings.ts';
import { CallReader } from '../http/read-call.ts';
import { readRoute } from '../http/read-route.ts';
import { makeLineLimit } from '../log/line-limit.ts';
import type { Logger } from '../log/logger.ts';
import type { Reading } from '../metrics/cells.ts';
import type { WorkerMetrics } from '../metrics/worker-metrics.ts';
import type { SharedReader } from '../shared/shared-reader.ts';
import type { PromptLog } from '../promptlog/prompt-log.ts';
import type { Connection } from '../store/postgres.ts';
import type { Redis } from '../store/redis.ts';
import type { ThreadPool } from '../threads/thread-pool.ts';
import type { Clock } from '../time/clock.ts';
import { closeForwarder } from '../upstream/forward.ts';
import { answerIdle } from './answer-idle.ts';
import { answerOpen } from './answer-open.ts';
import { answerOther } from './answer-other.ts';
import { makeAuth } from './make-auth.ts';
import { makeContextLengths, sentNumCtx } from './forward-request.ts';
import { makeBookkeeping } from './make-bookkeeping.ts';
import type { AdmissionNotices, Bookkeeping } from './make-bookkeeping.ts';
import { makePrompts } from './make-prompts.ts';
import { makeForwarder, makeStreaming } from './make-streaming.ts';
import { observe } from './observe.ts';
import { readLevels } from './read-levels.ts';
import { refuse } from './refuse.ts';
import { Running } from './running.ts';
import { makeRunningWatch } from './running-watch.ts';
import type { Stages } from './stages.ts';

/** What a worker process brings. */
export interface GatewayParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: WorkerMetrics;
  readonly shared: SharedReader;
  readonly redis: Redis;
  /** For what is kept of requests beside the books. */
  readonly postgres: Connection;
  readonly shards: number;
  /** Of this worker's life; never used twice. */
  readonly incarnation: string;
  readonly notices: AdmissionNotices;
  readonly argon2Threads: ThreadPool;
  readonly bodyThreads: ThreadPool;
  readonly findKey: FindKey;
  readonly renewKey: RenewKey;
  readonly isReady: () => boolean;
}

export interface Gateway {
  readonly stages: Stages;
  readonly running: Running;
  /** Ends what runs for keys that are no more; to be asked often. */
  lookAtRunning(): void;
  /** What stands at a level now: queues, rings, breakers, what runs. */
  readLevels(): readonly Reading[];
  /** Decodes the models in shared memory, if they changed. */
  readModels(): void;
  /** Ends the connections to upstreams, waits for Redis to take what is left; resolves with the rest. */
  close(withinMs: number): Promise<number>;
}

/** So many strangers' requests a second are logged by a worker. */
const STRANGER_LINES_PER_SECOND = 10;
/** Names in compiled model lists that a worker keeps. */
const MODEL_LIST_NAMES = 100_000;

/** The steps of pipeline.ts with their real parts. */
export function assemble(parts: GatewayParts): Gateway {
  const { settings, clock, shared } = parts;
  const running = new Running();
  const watch = makeRunningWatch({
    shared,
    clock,
    running,
    graceMs: settings.trustGraceSeconds * 1_000,
  });
  const contextLengths = makeContextLengths(settings);
  const forwarder = makeForwarder(settings, clock);
  const maxAgeMs = settings.discoveryMaxAgeSeconds * 1_000;
  const models = openCatalogue({ reader: shared, clock, maxAgeMs });
  const cutAddress = makeAddressCut(settings.auditAddress);
  const books = makeBookkeeping({
    ...parts,
    cutAddress,
    chooseNumCtx: (call, principal, grant) => sentNumCtx(call, principal, grant, contextLengths),
  });
  const { bodyThreads: threads } = parts;
  const prompts = makePrompts(parts);
  const stages = makeStages(parts, {
    books,
    prompts,
    cutAddress,
    access: { models, lists: openModelLists(MODEL_LIST_NAMES) },
    streaming: makeStreaming({
      settings,
      clock,
      running,
      watch,
      forwarder,
      threads,
      contextLengths,
      prompts,
    }),
  });

  return {
    stages,
    running,
    lookAtRunning: () => {
      watch.look();
    },
    readModels: () => {
      shared.refresh();
      models.isFresh();
    },
    readLevels: () => readLevels({ ...parts, books, running, forwarder }),
    async close(withinMs) {
      await closeForwarder(forwarder);
      const [left] = await Promise.all([books.flush(withinMs), prompts.flush(withinMs)]);
      return left;
    },
  };
}

/** What the steps share. */
interface StageParts {
  readonly books: Bookkeeping;
  readonly prompts: PromptLog;
  readonly cutAddress: (address: string) => string | null;
  readonly access: Access & Listing;
  readonly streaming: Pick<Stages, 'forward' | 'relay'>;
}

function makeStages(parts: GatewayParts, made: StageParts): Stages {
  const { settings, clock, log, metrics } = parts;
  const { books, prompts, cutAddress, access, streaming } = made;
  const { authenticate, confirm } = makeAuth(parts);
  const reader = new CallReader({ settings, pool: parts.bodyThreads, clock });
  const other = { listing: access, reader, confirm, describeKey: books.describeKey };
  const strangers = makeLineLimit(clock, STRANGER_LINES_PER_SECOND);
  const watching = { log, metrics, clock, strangers, cutAddress };
  return {
    route: readRoute,
    answerOpen: (exchange, route) => {
      answerOpen(exchange, route, parts.isReady);
    },
    authenticate,
    answerOther: (exchange, route, principal) => answerOther(other, exchange, route, principal),
    read: (exchange, route, { tenant }) => reader.readCall(exchange, route.name, tenant.tenantId),
    confirm,
    authorise: (principal, call) => authorise(access, principal, call.model),
    answerIdle: (exchange, principal, call, grant) => {
      const numPredict = chooseNumPredict(call, principal, settings.defaultMaxTokens);
      answerIdle(exchange, call, grant, { numPredict, nowMs: clock.wallMs() });
    },
    admit: books.admit,
    forward: (exchange, facts) => {
      books.follow(facts);
      metrics.timeOverhead(clock.monotonicMs() - exchange.startedAtMs - facts.call.bodyWaitMs);
      return streaming.forward(exchange, facts);
    },
    relay: streaming.relay,
    refuse: (exchange, error, facts) => refuse(exchange, error, log, facts),
    settle: (exchange, facts) => {
      facts.entry = books.settle(exchange, facts);
      prompts.end(facts.lease.admissionId);
    },
    audit: (exchange, facts) => {
      facts.entry = books.audit(exchange, facts);
    },
    observe: (exchange, facts) => {
      observe(watching, exchange, facts);
    },
  };
}

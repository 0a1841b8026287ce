import { randomUUID } from 'node:crypto';
import type { Settings } from '../config/settings.ts';
import { startDiscovery } from '../discovery/discovery-loop.ts';
import type { Discovery } from '../discovery/discovery-loop.ts';
import { openModelsCopy } from '../ledger/models-copy.ts';
import { openShardLedger } from '../ledger/shard-ledger.ts';
import { openRevokedMarkers } from '../ledger/revoked-markers.ts';
import { openVerifiedEntries } from '../ledger/verified-entries.ts';
import { describeError } from '../log/logger.ts';
import type { Logger } from '../log/logger.ts';
import { startPruning } from '../revocation/prune-loop.ts';
import type { Pruning } from '../revocation/prune-loop.ts';
import { startTrustLoop } from '../revocation/trust-loop.ts';
import type { TrustLoop } from '../revocation/trust-loop.ts';
import { CHANGES_CHANNEL } from '../revocation/channels.ts';
import { startListening } from '../store/listener.ts';
import type { Listener } from '../store/listener.ts';
import type { SharedWriter } from '../shared/shared-writer.ts';
import type { ShardCounts } from '../shards/counts.ts';
import { startExits } from '../shards/exits.ts';
import type { Exits } from '../shards/exits.ts';
import type { GatewayPresence } from '../shards/shards-parts.ts';
import { startShards } from '../shards/start-shards.ts';
import type { Shards } from '../shards/start-shards.ts';
import { makeClient } from '../store/postgres.ts';
import type { PostgresClient } from '../store/postgres.ts';
import type { Redis } from '../store/redis.ts';
import { StandbyError } from '../store/standby.ts';
import type { Clock } from '../time/clock.ts';

export interface DutyParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly redis: Redis;
  readonly shared: SharedWriter;
  readonly shards: number;
  readonly counts: ShardCounts;
  /** As toMarkerMs has it for every setting that was in force since the start: the longest. */
  readonly readMarkerMs: () => number;
  /** Tells the workers of changed models. */
  readonly announceModels: () => void;
  /** Tells the workers of changed keys or tenants. */
  readonly announceChange: () => void;
  /** Shared memory cannot be written any more. */
  readonly onFatal: () => void;
}

/** What the primary does beside supervising: trust, discovery, the accounts of shards. */
export interface Duties {
  readonly trust: TrustLoop;
  readonly discovery: Discovery;
  readonly shards: Shards;
  /** A worker is about to admit: its holds may be in Redis from now on. */
  noteAdmitting(): void;
  /** A worker has ended: frees what it held, of shared memory and in Redis. */
  noteExit(incarnation: string): void;
  /** Once the workers are gone; brings what is in Redis to Postgres first. */
  stop(): Promise<void>;
}

const POSTGRES_TIMEOUT_MS = 5_000;
const PRUNE_EVERY_MS = 5 * 60_000;
const READER_CHECK_MS = 5_000;
/** For Redis to end the holds of workers that have ended, when this process ends too. */
const EXITS_WITHIN_MS = 2_000;
/** For all that a request waits for beside its body and Redis. */
const MARGIN_MS = 60_000;

export function startDuties(parts: DutyParts): Duties {
  const { shared } = parts;
  const trust = startTrust(parts);
  const discovery = startModels(parts);
  const listener = startListener(parts, trust);
  const pruning = startPrune(parts);
  const exits = startEnding(parts);
  let admitted = false;
  const shards = startAccounts(parts, {
    readSession: () => trust.state().session,
    hasAdmitted: () => admitted,
  });
  // A shard that was not ready yet may be, now that this gateway can be seen.
  void trust.firstSnapshot.then(() => {
    shards.wakeAll();
  });
  const readers = setInterval(() => {
    shared.checkReaders();
  }, READER_CHECK_MS);
  return {
    trust,
    discovery,
    shards,
    noteAdmitting() {
      admitted = true;
    },
    noteExit(incarnation) {
      shared.checkReaders();
      exits.note(incarnation);
    },
    async stop() {
      clearInterval(readers);
      const ended = exits.stop(EXITS_WITHIN_MS).then(() => shards.stop());
      await Promise.all([listener.stop(), trust.stop(), discovery.stop(), pruning.stop(), ended]);
    },
  };
}

/**
 * How long a revoked key stays marked, in ms: beyond every proof of it that is remembered, and beyond
 * every request that was authenticated before, however slowly its body came.
 */
export function toMarkerMs(
  settings: Pick<Settings, 'verifiedKeySeconds' | 'bodyTimeoutSeconds' | 'admitTimeoutMs'>,
): number {
  const proofsMs = 2 * settings.verifiedKeySeconds * 1_000;
  const requestMs = settings.bodyTimeoutSeconds * 1_000 + settings.admitTimeoutMs + MARGIN_MS;
  return Math.max(proofsMs, requestMs);
}

function startTrust({
  settings,
  clock,
  log,
  redis,
  shards,
  shared,
  announceChange,
  readMarkerMs,
  onFatal,
}: DutyParts): TrustLoop {
  const markers = openRevokedMarkers(redis, shards);
  const entries = openVerifiedEntries(redis);
  return startTrustLoop({
    shared,
    clock,
    runId: randomUUID(),
    leaseMs: settings.trustLeaseMs,
    pollMs: settings.trustPollMs,
    announce: announceChange,
    makeClient: (connectTimeoutMs) => openClient(settings, 'nzgw trust', connectTimeoutMs),
    markRevoked: async ({ tenantId, keyId }) => {
      // The mark comes first: between the two, a proof may still be read but admits nothing.
      await markers.markKey(tenantId, keyId, readMarkerMs());
      await entries.delete(keyId);
    },
    onTrouble: (error) => {
      const reason = error instanceof StandbyError ? error.message : 'changes cannot be read';
      log.warn({ event: 'trust_lost', ...describeError(error) }, reason);
    },
    onFatal: (error) => {
      log.fatal({ event: 'shared_failed', ...describeError(error) }, 'shared memory failed');
      onFatal();
    },
  });
}

/** A notice makes the next look at the changes sooner; without it they are read at their time. */
function startListener({ settings, log }: DutyParts, trust: TrustLoop): Listener {
  return startListening({
    url: settings.databaseUrl,
    applicationName: 'nzgw listener',
    channel: CHANGES_CHANNEL,
    timeoutMs: POSTGRES_TIMEOUT_MS,
    onNotice: () => {
      trust.wake();
    },
    onTrouble: (error) => {
      log.warn(
        { event: 'listen_lost', ...describeError(error) },
        'changes are read without notice',
      );
    },
  });
}

function startAccounts(parts: DutyParts, gateway: GatewayPresence): Shards {
  const { settings } = parts;
  return startShards({
    ...parts,
    gateway,
    databaseUrl: settings.databaseUrl,
    readyAfterMs: settings.readyAfterMs,
    compareMs: settings.compareSeconds * 1_000,
  });
}

function startEnding({ redis, shards, counts, log }: DutyParts): Exits {
  const ledgers = Array.from({ length: shards }, (_, shard) => openShardLedger(redis, shard));
  return startExits({ ledgers, counts, log });
}

function startPrune({ settings, log }: DutyParts): Pruning {
  return startPruning({
    makeClient: () => openClient(settings, 'nzgw pruning'),
    everyMs: PRUNE_EVERY_MS,
    onTrouble: (error) => {
      log.warn({ event: 'pruning_failed', ...describeError(error) }, 'old changes stay for now');
    },
  });
}

function openClient(
  settings: Settings,
  applicationName: string,
  connectTimeoutMs = POSTGRES_TIMEOUT_MS,
): PostgresClient {
  return makeClient({
    url: settings.databaseUrl,
    applicationName,
    connectTimeoutMs,
    timeoutMs: POSTGRES_TIMEOUT_MS,
  });
}

function startModels({
  settings,
  clock,
  log,
  redis,
  shared,
  announceModels,
}: DutyParts): Discovery {
  return startDiscovery({
    upstreams: settings.ollamaUrls,
    intervalMs: settings.discoveryIntervalSeconds * 1_000,
    timeoutMs: settings.discoveryTimeoutSeconds * 1_000,
    maxAgeMs: settings.discoveryMaxAgeSeconds * 1_000,
    allowCloudModels: settings.allowCloudModels,
    clock,
    logger: log,
    copies: openModelsCopy(redis),
    publish: (head, bodies, shows) => {
      for (const [upstream, changed] of shows) {
        for (const [key, show] of changed) shared.putShow(upstream, key, show);
      }
      shared.putModels(head, bodies);
    },
    announce: announceModels,
  });
}

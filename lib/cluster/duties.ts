import type { Settings } from '../config/settings.ts';
import { startDiscovery } from '../discovery/discovery-loop.ts';
import type { Discovery } from '../discovery/discovery-loop.ts';
import { openModelsCopy } from '../ledger/models-copy.ts';
import { openShardLedger } from '../ledger/shard-ledger.ts';
import { describeError } from '../log/logger.ts';
import { startPruning } from '../retention/prune-loop.ts';
import type { Pruning } from '../retention/prune-loop.ts';
import type { Sweeper } from '../retention/sweep-loop.ts';
import { pruneChanges } from '../revocation/prune-changes.ts';
import type { TrustLoop } from '../revocation/trust-loop.ts';
import type { ShardCounts } from '../shards/counts.ts';
import { startExits } from '../shards/exits.ts';
import type { Exits } from '../shards/exits.ts';
import type { GatewayPresence } from '../shards/shards-parts.ts';
import { startShards } from '../shards/start-shards.ts';
import type { Shards } from '../shards/start-shards.ts';
import { openDutyClient } from './duty-client.ts';
import { startSweeping } from './sweep-duty.ts';
import { startListener, startTrust } from './trust-duty.ts';
import type { TrustDutyParts } from './trust-duty.ts';

export interface DutyParts extends TrustDutyParts {
  readonly counts: ShardCounts;
  /** Tells the workers of changed models. */
  readonly announceModels: () => void;
}

/** What the primary does beside supervising: trust, discovery, the accounts of shards. */
export interface Duties {
  readonly trust: TrustLoop;
  readonly discovery: Discovery;
  readonly shards: Shards;
  readonly sweeper: Sweeper;
  /** Notices of changes are heard. */
  isListening(): boolean;
  /** A worker is about to admit: its holds may be in Redis from now on. */
  noteAdmitting(): void;
  /** A worker has ended: frees what it held, of shared memory and in Redis. */
  noteExit(incarnation: string): void;
  /** Once the workers are gone; brings what is in Redis to Postgres first. */
  stop(): Promise<void>;
}

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
  const pruning = startChangePruning(parts);
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
  const sweeper = startSweeping(parts, shards);
  const readers = setInterval(() => {
    shared.checkReaders();
  }, READER_CHECK_MS);
  return {
    trust,
    discovery,
    shards,
    sweeper,
    isListening: () => listener.isConnected(),
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
      const swept = Promise.all([pruning.stop(), sweeper.stop()]);
      await Promise.all([listener.stop(), trust.stop(), discovery.stop(), swept, ended]);
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

/** Changes that everybody has read go away. */
function startChangePruning({ settings, log }: DutyParts): Pruning {
  return startPruning({
    makeClient: () => openDutyClient(settings, 'nzgw pruning'),
    everyMs: PRUNE_EVERY_MS,
    prune: pruneChanges,
    onTrouble: (error) => {
      log.warn({ event: 'pruning_failed', ...describeError(error) }, 'old rows stay for now');
    },
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

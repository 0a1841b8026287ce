import { randomUUID } from 'node:crypto';
import type { Settings } from '../config/settings.ts';
import { openRevokedMarkers } from '../ledger/revoked-markers.ts';
import { openVerifiedEntries } from '../ledger/verified-entries.ts';
import { describeError } from '../log/logger.ts';
import type { Logger } from '../log/logger.ts';
import { makeTroubleLines } from '../log/trouble-lines.ts';
import { CHANGES_CHANNEL } from '../revocation/channels.ts';
import { startTrustLoop } from '../revocation/trust-loop.ts';
import type { TrustLoop } from '../revocation/trust-loop.ts';
import type { SharedWriter } from '../shared/shared-writer.ts';
import { startListening } from '../store/listener.ts';
import type { Listener } from '../store/listener.ts';
import type { Redis } from '../store/redis.ts';
import { StandbyError } from '../store/standby.ts';
import type { Clock } from '../time/clock.ts';
import { openDutyClient, POSTGRES_TIMEOUT_MS } from './duty-client.ts';

export interface TrustDutyParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly redis: Redis;
  readonly shared: SharedWriter;
  readonly shards: number;
  /** As toMarkerMs has it for every setting that was in force since the start: the longest. */
  readonly readMarkerMs: () => number;
  /** Tells the workers of changed keys or tenants. */
  readonly announceChange: () => void;
  /** Shared memory cannot be written any more. */
  readonly onFatal: () => void;
}

const TRUST_WORDS = {
  lostEvent: 'trust_lost',
  lost: 'changes cannot be read',
  backEvent: 'trust_back',
  back: 'changes are read again',
};
const LISTENER_WORDS = {
  lostEvent: 'listen_lost',
  lost: 'changes are read without notice',
  backEvent: 'listen_back',
  back: 'changes are read at a notice again',
};

/** Keeps what workers believe true, and tells of it when that cannot be done. */
export function startTrust({
  settings,
  clock,
  log,
  redis,
  shards,
  shared,
  announceChange,
  readMarkerMs,
  onFatal,
}: TrustDutyParts): TrustLoop {
  const markers = openRevokedMarkers(redis, shards);
  const entries = openVerifiedEntries(redis);
  const trouble = makeTroubleLines(clock, log, TRUST_WORDS);
  return startTrustLoop({
    shared,
    clock,
    runId: randomUUID(),
    leaseMs: settings.trustLeaseMs,
    pollMs: settings.trustPollMs,
    announce: announceChange,
    makeClient: (connectTimeoutMs) => openDutyClient(settings, 'nzgw trust', connectTimeoutMs),
    markRevoked: async ({ tenantId, keyId }) => {
      // The mark comes first: between the two, a proof may still be read but admits nothing.
      await markers.markKey(tenantId, keyId, readMarkerMs());
      await entries.delete(keyId);
    },
    onTrusted: trouble.works,
    onTrouble: (error) => {
      trouble.failed(error, error instanceof StandbyError ? error.message : undefined);
    },
    onFatal: (error) => {
      log.fatal({ event: 'shared_failed', ...describeError(error) }, 'shared memory failed');
      onFatal();
    },
  });
}

/** A notice makes the next look at the changes sooner; without it they are read at their time. */
export function startListener(
  { settings, clock, log }: TrustDutyParts,
  trust: TrustLoop,
): Listener & { isConnected(): boolean } {
  const trouble = makeTroubleLines(clock, log, LISTENER_WORDS);
  let connected = false;
  const listener = startListening({
    url: settings.databaseUrl,
    applicationName: 'nzgw listener',
    channel: CHANGES_CHANNEL,
    timeoutMs: POSTGRES_TIMEOUT_MS,
    onNotice: () => {
      connected = true;
      trouble.works();
      trust.wake();
    },
    onTrouble: (error) => {
      connected = false;
      trouble.failed(error);
    },
  });
  return { ...listener, isConnected: () => connected };
}

import { startTrustLoop } from '../../lib/revocation/trust-loop.ts';
import type { TrustLoop, TrustLoopParts } from '../../lib/revocation/trust-loop.ts';
import { openShared } from '../../lib/shared/shared-reader.ts';
import type { SharedReader } from '../../lib/shared/shared-reader.ts';
import { createShared } from '../../lib/shared/shared-writer.ts';
import { makeClient } from '../../lib/store/postgres.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';
import { until } from './until.ts';

export const TRUST_NAME = 'trust under test';
/** As the settings have them where nobody sets them. */
export const LEASE_MS = 750;
const POLL_MS = 250;

/** A trust loop with the settings' own times, and what workers would see of it. */
export interface TrustWorld {
  readonly loop: TrustLoop;
  readonly reader: SharedReader;
  /** What the loop complained of, in order. */
  readonly troubles: readonly unknown[];
  isTrusted(): boolean;
  readStatus(publicId: string): string | undefined;
  untilTrusted(withinMs: number): Promise<void>;
  /** For so long: the part of the looks, one every 10 ms, at which a worker would believe. */
  watchTrust(forMs: number): Promise<number>;
  stop(): Promise<void>;
}

/** `chooseUrl` is asked at each connection. */
export async function startTrustWorld(
  chooseUrl: () => string,
  changed: Partial<TrustLoopParts> = {},
): Promise<TrustWorld> {
  const directory = await makeTemporaryDirectory('trust');
  const writer = createShared(directory.path);
  const reader = openShared(writer.path);
  const troubles: unknown[] = [];
  const loop = startTrustLoop({
    makeClient: (connectTimeoutMs) => {
      const url = chooseUrl();
      return makeClient({ url, applicationName: TRUST_NAME, timeoutMs: 5_000, connectTimeoutMs });
    },
    shared: writer,
    clock: systemClock,
    runId: 'run',
    pollMs: POLL_MS,
    leaseMs: LEASE_MS,
    markRevoked: () => Promise.resolve(),
    announce: () => undefined,
    onTrusted: () => undefined,
    onTrouble: (error) => troubles.push(error),
    onFatal: (error) => troubles.push(error),
    ...changed,
  });
  const isTrusted = (): boolean => {
    reader.refresh();
    return (reader.readTrust()?.deadlineMs ?? 0) > systemClock.monotonicMs();
  };
  return {
    loop,
    reader,
    troubles,
    isTrusted,
    readStatus: (publicId) => {
      reader.refresh();
      return reader.readKey(publicId)?.status;
    },
    untilTrusted: async (withinMs) => {
      await until(isTrusted, { withinMs, what: 'trust' });
    },
    watchTrust: (forMs) => watchTrust(isTrusted, forMs),
    stop: async () => {
      await loop.stop();
      await reader.close();
      await writer.close();
      await directory.remove();
    },
  };
}

async function watchTrust(isTrusted: () => boolean, forMs: number): Promise<number> {
  const endMs = systemClock.monotonicMs() + forMs;
  let looks = 0;
  let trusted = 0;
  await until(
    () => {
      looks += 1;
      if (isTrusted()) trusted += 1;
      return systemClock.monotonicMs() >= endMs;
    },
    { withinMs: forMs + 1_000, what: 'the time to pass' },
  );
  return trusted / looks;
}

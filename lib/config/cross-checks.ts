import { SETTINGS } from './settings.ts';
import type { SettingKey, Settings } from './settings.ts';

interface CrossCheck {
  readonly of: readonly SettingKey[];
  /** What is wrong with these values, or undefined. */
  readonly find: (settings: Partial<Settings>) => string | undefined;
}

/** Beside two renewals: for a late one, and for what a worker then holds again (LEDGER F12). */
const RENEWAL_MARGIN_MS = 2_000;

/** What no single setting can tell. Checked only where all the settings of a check were read. */
const CHECKS: readonly CrossCheck[] = [
  {
    of: ['trustLeaseMs', 'trustPollMs'],
    find: ({ trustLeaseMs = 0, trustPollMs = 0 }) =>
      trustLeaseMs >= 2 * trustPollMs
        ? undefined
        : `wanted at least twice ${SETTINGS.trustPollMs.name} (${trustPollMs}), got "${trustLeaseMs}"`,
  },
  {
    of: ['discoveryMaxAgeSeconds', 'discoveryIntervalSeconds'],
    find: ({ discoveryMaxAgeSeconds: age = 0, discoveryIntervalSeconds: interval = 0 }) =>
      age > interval
        ? undefined
        : `wanted more than ${SETTINGS.discoveryIntervalSeconds.name} (${interval}), got "${age}"`,
  },
  {
    of: ['leaseSeconds', 'leaseRenewSeconds'],
    find: ({ leaseSeconds = 0, leaseRenewSeconds = 0 }) =>
      leaseSeconds >= 3 * leaseRenewSeconds
        ? undefined
        : `wanted at least three times ${SETTINGS.leaseRenewSeconds.name} (${leaseRenewSeconds}), got "${leaseSeconds}"`,
  },
  {
    of: ['readyAfterMs', 'leaseRenewSeconds'],
    find: ({ readyAfterMs = 0, leaseRenewSeconds = 0 }) =>
      readyAfterMs >= 2_000 * leaseRenewSeconds + RENEWAL_MARGIN_MS
        ? undefined
        : `wanted at least twice ${SETTINGS.leaseRenewSeconds.name} (${leaseRenewSeconds} s) and ${RENEWAL_MARGIN_MS} ms more, got "${readyAfterMs}"`,
  },
  {
    of: ['bodyMemoryBytes', 'maxBodyBytes'],
    find: ({ bodyMemoryBytes = 0, maxBodyBytes = 0 }) =>
      bodyMemoryBytes >= maxBodyBytes
        ? undefined
        : `wanted at least ${SETTINGS.maxBodyBytes.name} (${maxBodyBytes}), got "${bodyMemoryBytes}"`,
  },
  {
    of: ['promptLogBufferBytes', 'promptLogMaxBytes'],
    find: ({ promptLogBufferBytes = 0, promptLogMaxBytes = 0 }) =>
      promptLogBufferBytes >= 2 * promptLogMaxBytes
        ? undefined
        : `wanted at least twice ${SETTINGS.promptLogMaxBytes.name} (${promptLogMaxBytes}), got "${promptLogBufferBytes}"`,
  },
  {
    of: ['adminPort', 'port', 'host', 'adminHost'],
    find: ({ adminPort = 0, port, host, adminHost }) =>
      adminPort === 0 || adminPort !== port || host !== adminHost
        ? undefined
        : `wanted another port than ${SETTINGS.port.name}, got "${adminPort}"`,
  },
];

/** The faults between settings, each told of the first setting of its check. */
export function findCrossFaults(settings: Partial<Settings>): readonly string[] {
  return CHECKS.flatMap(({ of, find }) => {
    const [first] = of;
    if (first === undefined || of.some((key) => settings[key] === undefined)) return [];
    const fault = find(settings);
    return fault === undefined ? [] : [`${SETTINGS[first].name}: ${fault}`];
  });
}

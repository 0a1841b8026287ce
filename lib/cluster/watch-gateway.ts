import type { Settings } from '../config/settings.ts';
import { watchReadiness } from '../health/readiness.ts';
import type { Readiness, ReadinessWatch } from '../health/readiness.ts';
import type { Logger } from '../log/logger.ts';
import { makeProbes } from './probes.ts';
import type { ProbeParts } from './probes.ts';

export interface GatewayWatchParts extends Omit<ProbeParts, 'upstreams' | 'maxAgeMs'> {
  readonly settings: Settings;
  readonly log: Logger;
  /** Told at each change of what is missing. */
  readonly onChange: (readiness: Readiness) => void;
}

const CHECK_EVERY_MS = 500;
const CHECK_TIMEOUT_MS = 1_000;

/** Looks all the time whether everything is there; the log hears when that changes. */
export function watchGateway(parts: GatewayWatchParts): ReadinessWatch {
  const { settings, clock, log } = parts;
  return watchReadiness({
    probes: makeProbes({
      ...parts,
      upstreams: settings.ollamaUrls,
      maxAgeMs: settings.discoveryMaxAgeSeconds * 1_000,
    }),
    clock,
    everyMs: CHECK_EVERY_MS,
    timeoutMs: CHECK_TIMEOUT_MS,
    onChange: (now, before) => {
      const ready = now.status === 'pass';
      if (now.status !== before.status) {
        log.info({ event: ready ? 'ready' : 'not_ready' }, ready ? 'ready' : 'not ready');
      }
      parts.onChange(now);
    },
  });
}

import type { Settings } from '../config/settings.ts';
import { watchReadiness } from '../health/readiness.ts';
import type { ReadinessWatch } from '../health/readiness.ts';
import type { Logger } from '../log/logger.ts';
import { makeProbes } from './probes.ts';
import type { ProbeParts } from './probes.ts';

export interface GatewayWatchParts extends Omit<ProbeParts, 'upstreams' | 'maxAgeMs'> {
  readonly settings: Settings;
  readonly log: Logger;
  readonly onChange: (ready: boolean) => void;
}

const CHECK_EVERY_MS = 500;
const CHECK_TIMEOUT_MS = 1_000;

/** Looks all the time whether everything is there, and says so in the log. */
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
    onChange: (ready) => {
      log.info({ event: ready ? 'ready' : 'not_ready' }, ready ? 'ready' : 'not ready');
      parts.onChange(ready);
    },
  });
}

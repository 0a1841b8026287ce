import { findExposure } from '../health/exposure.ts';
import { listOuterAddresses } from '../health/outer-addresses.ts';
import type { Logger } from '../log/logger.ts';

const WITHIN_MS = 2_000;

/**
 * Says so, loudly, where an upstream of this machine takes requests from other machines: they pass
 * by every key, limit and budget (SPEC §15). Never rejects, and ends at once when `stop` fires.
 */
export async function warnOfExposure(
  upstreams: readonly string[],
  log: Logger,
  stop: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(WITHIN_MS)]);
  const addresses = listOuterAddresses();
  if (!addresses) {
    log.warn(
      { event: 'upstream_exposure_unknown' },
      'this system does not tell its addresses: whether others can reach Ollama was not tried',
    );
    return;
  }
  const exposures = await Promise.all(
    upstreams.map((upstream) => findExposure(upstream, addresses, signal)),
  );
  for (const { upstream, open } of exposures) {
    if (open.length === 0) continue;
    log.warn(
      { event: 'upstream_exposed', upstream, addresses: open.join(', ') },
      'OTHER MACHINES CAN REACH OLLAMA WITHOUT A KEY, past this gateway: let it listen on 127.0.0.1 ' +
        'only (OLLAMA_HOST), or close the port in the firewall',
    );
  }
}

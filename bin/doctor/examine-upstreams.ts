import type { Environment } from '../../lib/config/read-sources.ts';
import { DiscoveryFault } from '../../lib/discovery/discovery-fault.ts';
import { fetchJson } from '../../lib/discovery/fetch-json.ts';
import { findExposure } from '../../lib/health/exposure.ts';
import { listOuterAddresses } from '../../lib/health/outer-addresses.ts';
import type { Clock } from '../../lib/time/clock.ts';
import { examine, fail, pass, toFailure, warn } from './check.ts';
import type { Check, Finding } from './check.ts';
import { loadSome } from './some-settings.ts';

const ANSWER_WITHIN_MS = 5_000;
const TRY_WITHIN_MS = 3_000;

/** Of each upstream whether it answers, and whether others could ask it too. */
export async function examineUpstreams(
  environment: Environment,
  clock: Clock,
): Promise<readonly Check[]> {
  let upstreams: readonly string[];
  try {
    upstreams = loadSome(environment, ['ollamaUrls']).ollamaUrls;
  } catch (error) {
    return ['upstream', 'upstream-port'].map((name) => ({
      name,
      about: null,
      ...toFailure(error),
      ms: 0,
    }));
  }
  const checks = await Promise.all(
    upstreams.map((about) =>
      Promise.all([
        examine({ name: 'upstream', about, look: () => lookAtUpstream(about, clock) }),
        examine({ name: 'upstream-port', about, look: () => lookAtPort(about) }),
      ]),
    ),
  );
  return checks.flat();
}

async function lookAtUpstream(upstream: string, clock: Clock): Promise<Finding> {
  const startedMs = clock.monotonicMs();
  try {
    const reply = await fetchJson({
      url: `${upstream}/api/version`,
      timeoutMs: ANSWER_WITHIN_MS,
      signal: new AbortController().signal,
    });
    const version = readVersion(reply);
    if (version === undefined) return fail('it answers, but not as Ollama does', null);
    return pass(`${version}, answers in ${(clock.monotonicMs() - startedMs).toFixed(1)} ms`);
  } catch (error) {
    if (!(error instanceof DiscoveryFault)) throw error;
    return fail(error.code, 'is Ollama running there? nzgw config OLLAMA_URL');
  }
}

/** Its own words, so no more of them than a version has. */
function readVersion(reply: unknown): string | undefined {
  if (typeof reply !== 'object' || reply === null || !('version' in reply)) return undefined;
  const { version } = reply;
  return typeof version === 'string' ? version.slice(0, 40) : undefined;
}

async function lookAtPort(upstream: string): Promise<Finding> {
  const addresses = listOuterAddresses();
  if (!addresses) return warn('not tried: this system does not tell its addresses', null);
  const signal = AbortSignal.timeout(TRY_WITHIN_MS);
  const { local, open } = await findExposure(upstream, addresses, signal);
  if (!local) return pass('not on this machine: see there that only gateways can reach it');
  if (open.length === 0) {
    return pass(`closed at the ${addresses.length} addresses that others have for this machine`);
  }
  return warn(
    `OTHER MACHINES CAN REACH OLLAMA WITHOUT A KEY, at ${open.join(', ')}`,
    'OLLAMA_HOST=127.0.0.1 for Ollama, or close the port in the firewall',
  );
}

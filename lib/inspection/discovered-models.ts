import type { ModelCatalogue } from '../access/authorise.ts';
import { mergeModels } from '../discovery/merge-models.ts';
import type { UpstreamBody } from '../discovery/merge-models.ts';
import { readCopyText } from '../discovery/snapshot-copy.ts';
import { toUpstreamModels } from '../discovery/upstream-snapshot.ts';
import { openModelsCopy } from '../ledger/models-copy.ts';
import type { Redis } from '../store/redis.ts';

interface DiscoveryRules {
  /** In the order of OLLAMA_URL. */
  readonly upstreamUrls: readonly string[];
  readonly maxAgeMs: number;
  readonly allowCloudModels: boolean;
}

/** The models as the gateways copied them to Redis at their last poll, as of now. */
export async function readDiscoveredModels(
  redis: Redis,
  rules: DiscoveryRules,
): Promise<ModelCatalogue> {
  const copies = openModelsCopy(redis);
  const bodies: UpstreamBody[] = [];
  for (const [upstream, url] of rules.upstreamUrls.entries()) {
    const copied = await copies.read(url);
    const copy = copied && readCopyText(copied.text, rules.allowCloudModels);
    if (!copy) continue;
    const fresh = copied.ageMs + copy.sinceMs <= rules.maxAgeMs;
    bodies.push({ upstream, fresh, body: toUpstreamModels(copy.snapshot) });
  }
  if (!bodies.some(({ fresh }) => fresh)) return { current: () => undefined };

  const { grants } = mergeModels(bodies);
  return { current: () => ({ find: (canonical) => grants.get(canonical) }) };
}

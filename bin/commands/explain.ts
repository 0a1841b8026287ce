import { makeContextLengths } from '../../lib/gateway/forward-request.ts';
import { readDiscoveredModels } from '../../lib/inspection/discovered-models.ts';
import { explainRequest } from '../../lib/inspection/explain-request.ts';
import { readNames } from '../../lib/inspection/names.ts';
import { findKey } from '../../lib/tenants/find-key.ts';
import { findTenant } from '../../lib/tenants/find-tenant.ts';
import { defineCommand } from '../program/command.ts';
import type { Context } from '../program/command.ts';
import { EXIT } from '../program/exit-code.ts';
import { KEY } from '../program/positionals.ts';
import { withStores } from '../program/stores.ts';
import type { Stores } from '../program/stores.ts';
import { renderExplanation, toExplanationDocument } from '../views/explanation-view.ts';
import type { ExplanationDocument } from '../views/explanation-view.ts';

type Needs =
  | 'databaseUrl'
  | 'redisUrl'
  | 'ollamaUrls'
  | 'discoveryMaxAgeSeconds'
  | 'allowCloudModels'
  | 'auditStreamMax'
  | 'promptBaseTokens'
  | 'numCtx'
  | 'modelNumCtx';

export const explain = defineCommand({
  name: 'explain',
  summary: 'Tells whether a request would pass now, and if not, what is in its way; exit 8 if not.',
  positionals: [
    KEY,
    { name: 'MODEL', required: true, meaning: 'its name, as a client would write it' },
  ],
  options: [],
  examples: ['nzgw explain nz_4fGh2KpQx7Yt llama3', 'nzgw explain 4fGh qwen3:8b --json'],
  needs: [
    'databaseUrl',
    'redisUrl',
    'ollamaUrls',
    'discoveryMaxAgeSeconds',
    'allowCloudModels',
    'auditStreamMax',
    'promptBaseTokens',
    'numCtx',
    'modelNumCtx',
  ],
  async run(context) {
    const document = await withStores(context, (stores) => explainTo(context, stores));
    context.output.answer(document, () => renderExplanation(document));
    return document.ok ? EXIT.done : EXIT.checkFailed;
  },
});

async function explainTo(context: Context<Needs>, stores: Stores): Promise<ExplanationDocument> {
  const { settings, positionals, clock } = context;
  const { queries, redis, shards } = stores;
  const [reference = '', modelName = ''] = positionals;
  const key = await findKey(queries, reference);
  const tenant = await findTenant(queries, key.tenantId);
  const models = await readDiscoveredModels(redis, {
    upstreamUrls: settings.ollamaUrls,
    maxAgeMs: settings.discoveryMaxAgeSeconds * 1_000,
    allowCloudModels: settings.allowCloudModels,
  });
  const { auditStreamMax, promptBaseTokens } = settings;
  const numCtxOf = makeContextLengths(settings);
  const parts = { redis, shards, clock, models, auditStreamMax, promptBaseTokens, numCtxOf };
  const explanation = await explainRequest(parts, key, tenant, modelName);
  const names = await readNames(queries, {
    tenantIds: explanation.holds.map(({ tenantId }) => tenantId),
    keyIds: explanation.holds.map(({ keyId }) => keyId),
  });
  return toExplanationDocument(explanation, key, names);
}

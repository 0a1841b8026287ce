import { compileModelList } from '../../lib/access/model-list.ts';
import { loadSettings, SettingsError } from '../../lib/config/load-settings.ts';
import { chooseModels } from '../../lib/discovery/choose-models.ts';
import type { Candidate } from '../../lib/discovery/choose-models.ts';
import { DiscoveryFault } from '../../lib/discovery/discovery-fault.ts';
import { fetchJson } from '../../lib/discovery/fetch-json.ts';
import { readTags } from '../../lib/ollama/models/read-tags.ts';
import { listTenants } from '../../lib/tenants/find-tenant.ts';
import type { Tenant } from '../../lib/tenants/tenant.ts';
import { CommandError } from '../program/command-error.ts';
import { defineCommand } from '../program/command.ts';
import type { Context } from '../program/command.ts';
import { withDatabase } from '../program/database.ts';
import { EXIT } from '../program/exit-code.ts';

/** One model of one upstream, as `--json` has it. */
interface ModelDocument {
  readonly name: string;
  readonly size: number | null;
  readonly digest: string;
  readonly upstream: string;
  /** Slugs of those who may use it; null where no database was asked. */
  readonly tenants: readonly string[] | null;
}

type Needs = 'ollamaUrls' | 'discoveryTimeoutSeconds' | 'allowCloudModels';

export const listModels = defineCommand({
  name: 'list-models',
  summary: 'Asks the upstreams for their models and tells which tenants may use them.',
  positionals: [],
  options: [],
  examples: ['nzgw list-models', 'nzgw list-models --json'],
  needs: ['ollamaUrls', 'discoveryTimeoutSeconds', 'allowCloudModels'],
  async run(context) {
    const found = await askAll(context);
    const tenants = await readTenants(context);
    const models = found.map((model) => toDocument(model, tenants));
    context.output.list(models, (model) => model, {
      name: (model) => model.name,
      size: (model) => showSize(model.size),
      digest: (model) => model.digest.replace(/^sha256:/, '').slice(0, 12),
      upstream: (model) => model.upstream,
      tenants: (model) => model.tenants?.join(', ') ?? '?',
    });
    return EXIT.done;
  },
});

interface Found {
  readonly candidate: Candidate;
  readonly upstream: string;
}

/** Of several upstreams one that answers is enough; the silent ones are named. */
async function askAll(context: Context<Needs>): Promise<readonly Found[]> {
  const { ollamaUrls } = context.settings;
  const answers = await Promise.all(ollamaUrls.map((upstream) => ask(context, upstream)));
  const silent = answers.flatMap((answer) => (typeof answer === 'string' ? [answer] : []));
  if (silent.length === ollamaUrls.length) {
    throw new CommandError('no upstream answers', {
      exitCode: EXIT.unreachable,
      code: 'upstream_unreachable',
      hint: 'is Ollama running there? nzgw config OLLAMA_URL',
      details: silent,
    });
  }
  for (const line of silent) context.output.note(`warning: ${line}`);
  return answers.flatMap((answer) => (typeof answer === 'string' ? [] : answer));
}

/** The models, or a line that says why there are none. */
async function ask(context: Context<Needs>, upstream: string): Promise<readonly Found[] | string> {
  const { discoveryTimeoutSeconds, allowCloudModels } = context.settings;
  try {
    const reply = await fetchJson({
      url: `${upstream}/api/tags`,
      timeoutMs: discoveryTimeoutSeconds * 1_000,
      signal: new AbortController().signal,
    });
    const listed = readTags(reply);
    if (listed === undefined) return `${upstream}: reply_malformed`;
    return chooseModels(listed, allowCloudModels).map((candidate) => ({ candidate, upstream }));
  } catch (error) {
    if (error instanceof DiscoveryFault) return `${upstream}: ${error.code}`;
    throw error;
  }
}

/** Who may use what is worth telling, not worth failing for where no database was named. */
async function readTenants(context: Context<Needs>): Promise<readonly Tenant[] | null> {
  try {
    const { settings } = loadSettings(context.environment, ['databaseUrl']);
    return await withDatabase({ ...context, settings }, listTenants);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    context.output.note(`Tenants are not shown: ${error.faults.join('; ')}`);
    return null;
  }
}

function toDocument(
  { candidate, upstream }: Found,
  tenants: readonly Tenant[] | null,
): ModelDocument {
  const { name, digest, listed } = candidate.model;
  const size = listed['size'];
  return {
    name,
    size: typeof size === 'number' ? size : null,
    digest,
    upstream,
    tenants: tenants?.filter((t) => allows(t, candidate.key)).map(({ slug }) => slug) ?? null,
  };
}

function allows(tenant: Tenant, canonical: string): boolean {
  return tenant.allowAllModels || compileModelList(tenant.allowedModels).has(canonical);
}

function showSize(bytes: number | null): string {
  return bytes === null ? '-' : `${(bytes / 1e9).toFixed(1)} GB`;
}

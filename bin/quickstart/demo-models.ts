import { createHash } from 'node:crypto';

/** Told by every listing and reply: nobody shall take this for a language model. */
export const DEMO_NOTICE = 'demo model of neuronetz-gateway, not a language model';

/** What /api/version says; nothing that a real Ollama would. */
export const DEMO_VERSION = '0.0.0-demo';

export const DEMO_DIMENSIONS = 64;

export interface DemoModel {
  readonly name: string;
  readonly capability: 'completion' | 'embedding';
}

export const DEMO_CHAT_MODEL = 'demo-echo:latest';
export const DEMO_EMBEDDING_MODEL = 'demo-embed:latest';

export const DEMO_MODELS: readonly DemoModel[] = [
  { name: DEMO_CHAT_MODEL, capability: 'completion' },
  { name: DEMO_EMBEDDING_MODEL, capability: 'embedding' },
];

const CONTEXT_LENGTH = 8_192;
const MODIFIED_AT = '2026-01-01T00:00:00Z';
const DETAILS = {
  parent_model: '',
  format: 'demo',
  family: 'demo',
  families: ['demo'],
  parameter_size: '0',
  quantization_level: 'none',
} as const;

/** Body of GET /api/tags. */
export function listDemoModels(): object {
  return { models: DEMO_MODELS.map((model) => ({ ...describe(model), modified_at: MODIFIED_AT })) };
}

/** Body of GET /api/ps: they are always loaded. */
export function listRunningDemoModels(): object {
  const models = DEMO_MODELS.map((model) => ({
    ...describe(model),
    expires_at: '2318-01-01T00:00:00Z',
    size_vram: 0,
    context_length: CONTEXT_LENGTH,
  }));
  return { models };
}

/** Body of POST /api/show. */
export function showDemoModel({ capability }: DemoModel): object {
  return {
    license: `Apache-2.0. A ${DEMO_NOTICE}.`,
    modelfile: `# A ${DEMO_NOTICE}.`,
    template: '{{ .Prompt }}',
    details: DETAILS,
    model_info: {
      'general.architecture': 'demo',
      'general.basename': DEMO_NOTICE,
      'demo.context_length': CONTEXT_LENGTH,
      'demo.embedding_length': DEMO_DIMENSIONS,
    },
    capabilities: [capability],
    modified_at: MODIFIED_AT,
  };
}

/** A name as clients write it, to the model; `:latest` may be left out. */
export function findDemoModel(name: string): DemoModel | undefined {
  return DEMO_MODELS.find((model) => model.name === name || model.name === `${name}:latest`);
}

function describe({ name, capability }: DemoModel): object {
  return {
    name,
    model: name,
    size: 0,
    digest: createHash('sha256').update(name).digest('hex'),
    details: DETAILS,
    capabilities: [capability],
  };
}

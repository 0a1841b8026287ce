import { createHash } from 'node:crypto';
import type { FakeModel } from './fake-script.ts';

/** Body of GET /api/tags. */
export function listModels(models: readonly FakeModel[]): object {
  return { models: models.map(toEntry) };
}

/** Body of GET /api/ps: the first model is loaded. */
export function listRunning(models: readonly FakeModel[]): object {
  const running = models.slice(0, 1).map((model) => ({
    name: model.name,
    model: model.name,
    size: 1_234_567,
    digest: digestOf(model),
    details: details(),
    expires_at: '2026-01-01T00:05:00.000000001Z',
    size_vram: 1_234_567,
    context_length: 4_096,
  }));
  return { models: running };
}

/** Answer of POST /api/show, with all that the gateway must not pass on. */
export function showModel(
  models: readonly FakeModel[],
  body: string,
): { status: number; answer: object } {
  const asked = JSON.parse(body) as { model?: string; name?: string };
  const name = asked.model ?? asked.name ?? '';
  const model = models.find((known) => known.name === name);
  if (!model) return { status: 404, answer: { error: `model '${name}' not found` } };
  return {
    status: 200,
    answer: {
      license: 'secret licence',
      modelfile: 'FROM /var/lib/ollama/blobs/secret',
      parameters: 'temperature 0.7',
      template: model.template ?? '{{ .Prompt }}',
      ...(model.system !== undefined && { system: model.system }),
      details: details(),
      model_info: { 'general.architecture': 'llama', 'llama.context_length': 4_096 },
      capabilities: model.capabilities ?? ['completion'],
      modified_at: '2026-01-01T00:00:00.000000001Z',
      ...(model.remote_host !== undefined && { remote_host: model.remote_host }),
      ...(model.remote_model !== undefined && { remote_model: model.remote_model }),
    },
  };
}

function toEntry(model: FakeModel): object {
  return {
    name: model.name,
    model: model.name,
    ...(model.remote_model !== undefined && { remote_model: model.remote_model }),
    ...(model.remote_host !== undefined && { remote_host: model.remote_host }),
    modified_at: '2026-01-01T00:00:00.000000001Z',
    size: 1_234_567,
    digest: digestOf(model),
    details: details(),
    capabilities: model.capabilities ?? ['completion'],
    ...model.more,
  };
}

function digestOf(model: FakeModel): string {
  return model.digest ?? createHash('sha256').update(model.name).digest('hex');
}

function details(): object {
  return {
    parent_model: '',
    format: 'gguf',
    family: 'llama',
    families: ['llama'],
    parameter_size: '8.0B',
    quantization_level: 'Q4_0',
  };
}

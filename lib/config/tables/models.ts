import { lasting, optional, withDefault } from '../definition.ts';
import { flag, integer, perModel } from '../kinds.ts';

export const MODELS = {
  discoveryIntervalSeconds: lasting(
    withDefault(
      'MODEL_DISCOVERY_INTERVAL_SECONDS',
      integer(1, 3_600),
      30,
      'How often upstreams are asked for their models.',
    ),
  ),
  discoveryTimeoutSeconds: lasting(
    withDefault(
      'MODEL_DISCOVERY_TIMEOUT_SECONDS',
      integer(1, 60),
      5,
      'How long one such question may take.',
    ),
  ),
  discoveryMaxAgeSeconds: lasting(
    withDefault(
      'MODEL_DISCOVERY_MAX_AGE_SECONDS',
      integer(2, 86_400),
      120,
      'An older snapshot is not trusted.',
    ),
  ),
  allowCloudModels: lasting(
    withDefault(
      'NZGW_ALLOW_CLOUD_MODELS',
      flag,
      'false',
      'Lists models that Ollama runs on its own cloud.',
    ),
  ),
  numCtx: optional(
    'NZGW_NUM_CTX',
    integer(4, 10_000_000),
    'Context length sent with every request. Only with one is a template of a request taken.',
  ),
  modelNumCtx: optional(
    'NZGW_MODEL_NUM_CTX',
    perModel,
    'Context length of single models: llama3:8b=16384,…',
  ),
  defaultMaxTokens: withDefault(
    'NZGW_DEFAULT_MAX_TOKENS',
    integer(1, 10_000_000),
    8_192,
    'num_predict where the client names none.',
  ),
} as const;

/** What the primary writes into shared memory and the workers read: plain data, one shape each. */

export type BudgetPeriod = 'day' | 'month' | 'total';

/** Limits of one level (key or tenant). null: no limit at this level; 0: nothing allowed. */
export interface Limits {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly concurrency: number | null;
  readonly budgetTokens: number | null;
  readonly budgetPeriod: BudgetPeriod | null;
  readonly maxOutputTokens: number | null;
}

export interface KeyRow {
  readonly keyId: string;
  readonly publicId: string;
  readonly tenantId: string;
  /** Argon2id in PHC form. */
  readonly hash: string;
  /** 16 bytes of HMAC-SHA-256 under the pepper, in hex; null for a key made without a pepper. */
  readonly secretTag: string | null;
  /** Rises with every change of the key or of its limits. */
  readonly version: number;
  readonly status: 'active' | 'revoked';
  readonly expiresAtMs: number | null;
  readonly allowAllModels: boolean | null;
  readonly allowedModels: readonly string[] | null;
  readonly promptLog: boolean;
  readonly limits: Limits;
}

export interface TenantRow {
  readonly tenantId: string;
  readonly slug: string;
  /** Rises with every change of the tenant or of its limits. */
  readonly version: number;
  readonly status: 'active' | 'suspended' | 'closed';
  readonly allowAllModels: boolean;
  readonly allowedModels: readonly string[];
  readonly allowRuntimeOptions: boolean;
  readonly maxNumCtx: number | null;
  readonly limits: Limits;
}

export interface Trust {
  /** Monotonic milliseconds (time/clock.ts) until which the directory may be believed. */
  readonly deadlineMs: number;
  /** Which life of the primary wrote it. */
  readonly runId: string;
}

/** One model as an upstream listed it. `listed` is the entry of /api/tags, checked and copied. */
export interface ModelEntry {
  /** Canonical name (access/model-name.ts), by which it is looked up. */
  readonly key: string;
  /** The name to send upstream, as the upstream itself spells it. */
  readonly name: string;
  readonly digest: string;
  readonly listed: Readonly<Record<string, unknown>>;
  /** Bytes of the model's own system text and template, for the prompt bound. */
  readonly ownTextBytes: number;
  readonly embedding: boolean;
}

/** What is known of one upstream since its last good poll. */
export interface UpstreamHead {
  /** Position in OLLAMA_URL. */
  readonly upstream: number;
  /** Monotonic milliseconds of the poll; compared with the max age on every use. */
  readonly polledAtMs: number;
  /** Ollama's own version text. */
  readonly ollamaVersion: string;
}

/** The head of the models table: small, read on every request. */
export interface ModelsHead {
  /** Rises with every change of what is listed or running; a worker decodes once a version. */
  readonly version: number;
  readonly upstreams: readonly UpstreamHead[];
}

/** The body of the models table for one upstream. */
export interface UpstreamModels {
  readonly models: readonly ModelEntry[];
  /** Entries of /api/ps, checked and copied. */
  readonly running: readonly Readonly<Record<string, unknown>>[];
}

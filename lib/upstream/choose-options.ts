/** What decides over a request's options beside the request. */
interface OptionRules {
  /** The tenant may set what reloads a model or pins memory. */
  readonly allowRuntimeOptions: boolean;
  /** Ceiling of the tenant's own num_ctx; null: none. */
  readonly maxNumCtx: number | null;
  /** The operator's num_ctx for this model: always sent where set. */
  readonly numCtx: number | null;
  /** What admission granted; null for embeddings, which generate nothing. */
  readonly numPredict: number | null;
}

/** Each of these forces Ollama to reload the model, or pins memory. */
const RUNTIME_OPTIONS: ReadonlySet<string> = new Set([
  'num_gpu',
  'num_thread',
  'num_batch',
  'main_gpu',
  'use_mmap',
]);

/** Decided by the gateway, whatever was asked. */
const OURS: ReadonlySet<string> = new Set(['num_ctx', 'num_predict']);

/** Ollama's least context. */
const MIN_NUM_CTX = 4;

/** The options that go upstream (SPEC §2.2). `asked` holds known options of the right types. */
export function chooseOptions(
  asked: Readonly<Record<string, unknown>>,
  rules: OptionRules,
): Record<string, unknown> {
  const chosen: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(asked)) {
    if (OURS.has(name)) continue;
    if (RUNTIME_OPTIONS.has(name) && !rules.allowRuntimeOptions) continue;
    chosen[name] = value;
  }
  const numCtx = chooseNumCtx(asked['num_ctx'], rules);
  if (numCtx !== null) chosen['num_ctx'] = numCtx;
  if (rules.numPredict !== null) chosen['num_predict'] = rules.numPredict;
  return chosen;
}

/** The num_ctx that goes upstream; null: none, so the model's own counts. */
export function chooseNumCtx(
  asked: unknown,
  rules: Pick<OptionRules, 'allowRuntimeOptions' | 'maxNumCtx' | 'numCtx'>,
): number | null {
  if (rules.numCtx !== null) return rules.numCtx;
  if (!rules.allowRuntimeOptions) return null;
  if (typeof asked !== 'number' || !Number.isSafeInteger(asked) || asked < MIN_NUM_CTX) return null;
  return Math.min(asked, rules.maxNumCtx ?? asked);
}

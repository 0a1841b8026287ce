import { REFUSALS } from '../errors/refusals.ts';
import type { RefusalCode } from '../errors/refusals.ts';
import { makeCells } from './cells.ts';
import type { Cells, CounterCell, HistogramCell, Reading } from './cells.ts';
import { LabelSet } from './label-set.ts';
import { makeModelTimes } from './model-times.ts';
import type { ServedTimes } from './model-times.ts';

/** How a key was proved, what failed beside it; and the codes with which callers are refused. */
const AUTH_RESULTS = [
  'proved_by_map',
  'proved_by_store',
  'proved_by_argon2',
  'store_failed',
  'renewed',
  'renewal_failed',
  'invalid_api_key',
  'tenant_suspended',
  'too_many_failures',
  'auth_unavailable',
  'overloaded',
] as const;
export type AuthResult = (typeof AUTH_RESULTS)[number];

/** Why an entry of the prompt log is not kept. */
const PROMPT_LOSSES = ['full', 'no_key', 'unwritten'] as const;
export type PromptLoss = (typeof PROMPT_LOSSES)[number];

/** How a reply ends that its upstream broke off. */
const BROKEN: ReadonlySet<string> = new Set(['upstream_error', 'upstream_incomplete']);

/** What is counted of a request when it has ended. */
export interface FinishedRequest {
  readonly tenant: string | undefined;
  readonly model: string | undefined;
  readonly status: number;
  readonly durationMs: number;
  readonly refusal: RefusalCode | undefined;
  /** Of one that was admitted. */
  readonly usage?: (ServedTimes & Tokens) | undefined;
}

interface Tokens {
  readonly promptTokens: number;
  /** As the audit log has it; names come from our own code. */
  readonly outcome: string;
}

/** What an admitted request can end as; one that is lost is told by its owner. */
const OUTCOMES = [
  'ok',
  'client_gone',
  'upstream_error',
  'upstream_incomplete',
  'revoked',
  'refused',
] as const;

export interface WorkerMetrics {
  /** One finished request. */
  countRequest(request: FinishedRequest): void;
  /** One refusal that no audit row will tell of: the ring before Redis was full. */
  countDroppedRefusal(): void;
  /** Requests that their keys wanted to be kept in the prompt log. */
  countDroppedPrompts(loss: PromptLoss, count: number): void;
  countAuth(result: AuthResult): void;
  /** How long the gateway itself took before an admitted request went upstream. */
  timeOverhead(ms: number): void;
  /** One script of Redis; names come from our own code. */
  timeScript(script: string, ms: number): void;
  /** What was counted and not told yet, at most so many series; the primary adds it up. */
  take(most?: number): Reading[];
}

/** The series of one tenant with one model. */
interface PairCells {
  readonly requests: Map<number, CounterCell>;
  readonly duration: HistogramCell;
  /** Once a request was admitted: whoever is only refused needs none. */
  tokens?: TokenCells;
}

interface TokenCells {
  readonly prompt: CounterCell;
  readonly completion: CounterCell;
}

/** What one worker counts. Labels come from closed sets: no client can make a series. */
export function makeWorkerMetrics(most: { tenants: number; models: number }): WorkerMetrics {
  const cells = makeCells();
  const tenants = new LabelSet(most.tenants);
  const models = new LabelSet(most.models);
  const pairs = new Map<string, Map<string, PairCells>>();
  const times = makeModelTimes(cells);
  const scripts = new Map<string, HistogramCell>();
  const overhead = cells.histogram('gateway_overhead_seconds', []);
  const refusals = byName(Object.keys(REFUSALS) as RefusalCode[], (code) =>
    cells.counter('gateway_refusals_total', [code]),
  );
  const outcomes = makeOutcomes(cells);
  const broken = cells.counter('gateway_broken_replies_total', []);
  const auth = byName(AUTH_RESULTS, (result) =>
    cells.counter('gateway_auth_results_total', [result]),
  );

  const findPair = (tenant: string, model: string): PairCells => {
    const ofTenant = findOrMake(pairs, tenant, () => new Map<string, PairCells>());
    return findOrMake(ofTenant, model, () => ({
      requests: new Map(),
      duration: cells.histogram('gateway_request_duration_seconds', [tenant, model]),
    }));
  };

  return {
    countRequest(request) {
      const { status, durationMs, refusal, usage } = request;
      const tenant = tenants.name(request.tenant);
      const model = models.name(request.model);
      const pair = findPair(tenant, model);
      findOrMake(pair.requests, status, () =>
        cells.counter('gateway_requests_total', [tenant, model, String(status)]),
      ).inc();
      pair.duration.observe(durationMs / 1_000);
      if (refusal !== undefined) refusals.get(refusal)?.inc();
      if (usage === undefined) return;
      const tokens = (pair.tokens ??= makeTokenCells(cells, [tenant, model]));
      tokens.prompt.inc(usage.promptTokens);
      tokens.completion.inc(usage.completionTokens);
      outcomes.get(usage.outcome)?.inc();
      if (status === 200 && BROKEN.has(usage.outcome)) broken.inc();
      times.observe(model, usage);
    },
    ...makeDrops(cells),
    countAuth(result) {
      auth.get(result)?.inc();
    },
    timeOverhead(ms) {
      overhead.observe(ms / 1_000);
    },
    timeScript(script, ms) {
      findOrMake(scripts, script, () =>
        cells.histogram('gateway_redis_script_seconds', [script]),
      ).observe(ms / 1_000);
    },
    take: (most) => cells.take(most),
  };
}

/** The result that a refusal of a caller is; undefined for one that says nothing of a key. */
export function toAuthResult(code: RefusalCode): AuthResult | undefined {
  return AUTH_RESULTS.find((result) => result === code);
}

function makeDrops(
  cells: Cells,
): Pick<WorkerMetrics, 'countDroppedRefusal' | 'countDroppedPrompts'> {
  const refusals = cells.counter('gateway_refusals_dropped_total', []);
  const prompts = byName(PROMPT_LOSSES, (loss) =>
    cells.counter('gateway_prompts_dropped_total', [loss]),
  );
  return {
    countDroppedRefusal() {
      refusals.inc();
    },
    countDroppedPrompts(loss, count) {
      prompts.get(loss)?.inc(count);
    },
  };
}

function makeOutcomes(cells: Cells): ReadonlyMap<string, CounterCell> {
  return byName(OUTCOMES, (outcome) => cells.counter('gateway_outcomes_total', [outcome]));
}

function makeTokenCells(cells: Cells, pair: readonly string[]): TokenCells {
  return {
    prompt: cells.counter('gateway_tokens_total', [...pair, 'prompt']),
    completion: cells.counter('gateway_tokens_total', [...pair, 'completion']),
  };
}

function byName<Name extends string, Made>(
  names: readonly Name[],
  make: (name: Name) => Made,
): ReadonlyMap<Name, Made> {
  return new Map(names.map((name) => [name, make(name)]));
}

function findOrMake<Key, Made>(map: Map<Key, Made>, key: Key, make: () => Made): Made {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

import type { Settings } from '../config/settings.ts';
import type { Logger } from '../log/logger.ts';
import { ByteBudget } from '../memory/byte-budget.ts';
import type { PromptLoss, WorkerMetrics } from '../metrics/worker-metrics.ts';
import { insertPrompts } from '../promptlog/insert-prompts.ts';
import { openPromptLog } from '../promptlog/prompt-log.ts';
import type { PromptLog } from '../promptlog/prompt-log.ts';
import type { Connection } from '../store/postgres.ts';
import type { Clock } from '../time/clock.ts';
import type { AdmittedFacts } from './stages.ts';

export interface PromptParts {
  readonly settings: Pick<Settings, 'promptLogKey' | 'promptLogMaxBytes' | 'promptLogBufferBytes'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<WorkerMetrics, 'countDroppedPrompt'>;
  readonly postgres: Connection;
}

const SAID_EVERY_MS = 60_000;

/** The prompt log as the settings want it. */
export function makePrompts(parts: PromptParts): PromptLog {
  const { settings, clock, log, metrics, postgres } = parts;
  const { promptLogKey, promptLogMaxBytes: maxBytes, promptLogBufferBytes } = settings;
  const sayLost = makeLossNotice(clock, log);
  return openPromptLog({
    secret: promptLogKey ?? undefined,
    bounds: { memory: new ByteBudget(promptLogBufferBytes, 2 * maxBytes), maxBytes },
    clock,
    write: (rows) => insertPrompts(postgres, rows),
    onLost: (loss) => {
      metrics.countDroppedPrompt(loss);
      sayLost(loss);
    },
  });
}

/** What a key opted in to is kept from here on, until `end`. */
export function beginPrompt(prompts: PromptLog, facts: AdmittedFacts): void {
  const { principal, lease, call, grant } = facts;
  if (!principal.key.promptLog) return;
  prompts.begin({
    id: lease.admissionId,
    tenantId: principal.tenant.tenantId,
    keyId: principal.key.keyId,
    endpoint: call.route,
    model: grant.model.name,
    members: call.members.bytes,
  });
}

/** Says at once that something is not kept, then at most once a minute with how many there were. */
function makeLossNotice(clock: Clock, log: Logger): (loss: PromptLoss) => void {
  const unsaid = new Map<PromptLoss, number>();
  let saidAtMs = -Infinity;
  return (loss) => {
    unsaid.set(loss, (unsaid.get(loss) ?? 0) + 1);
    const nowMs = clock.monotonicMs();
    if (nowMs - saidAtMs < SAID_EVERY_MS) return;
    saidAtMs = nowMs;
    log.warn({ event: 'prompts_dropped', ...Object.fromEntries(unsaid) }, 'prompts are not kept');
    unsaid.clear();
  };
}

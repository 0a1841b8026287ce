import { isPoison } from '../audit/reject-event.ts';
import type { Settings } from '../config/settings.ts';
import type { Logger } from '../log/logger.ts';
import { ByteBudget } from '../memory/byte-budget.ts';
import type { PromptLoss, WorkerMetrics } from '../metrics/worker-metrics.ts';
import { insertPrompt } from '../promptlog/insert-prompt.ts';
import type { PromptRow } from '../promptlog/insert-prompt.ts';
import { openPromptLog } from '../promptlog/prompt-log.ts';
import type { PromptLog } from '../promptlog/prompt-log.ts';
import { readSqlState } from '../store/postgres.ts';
import type { Connection } from '../store/postgres.ts';
import type { Clock } from '../time/clock.ts';
import type { AdmittedFacts } from './stages.ts';

export interface PromptParts {
  readonly settings: Pick<Settings, 'promptLogKey' | 'promptLogMaxBytes' | 'promptLogBufferBytes'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<WorkerMetrics, 'countDroppedPrompts'>;
  readonly postgres: Connection;
}

const SAID_EVERY_MS = 60_000;

/** The prompt log as the settings want it. */
export function makePrompts(parts: PromptParts): PromptLog {
  const { settings, clock, log, metrics, postgres } = parts;
  const { promptLogKey, promptLogMaxBytes: maxBytes, promptLogBufferBytes } = settings;
  const notice = makeLossNotice(clock, log);
  const prompts = openPromptLog({
    secret: promptLogKey ?? undefined,
    bounds: { memory: new ByteBudget(promptLogBufferBytes, 2 * maxBytes), maxBytes },
    clock,
    write: (row) => writePrompt(postgres, row),
    onLost: (loss, count) => {
      metrics.countDroppedPrompts(loss, count);
      notice.note(loss, count);
    },
  });
  return {
    begin: (request) => {
      prompts.begin(request);
    },
    observe: (id) => prompts.observe(id),
    end: (id) => {
      prompts.end(id);
    },
    get length() {
      return prompts.length;
    },
    async flush(withinMs) {
      const left = await prompts.flush(withinMs);
      notice.sayRest();
      return left;
    },
  };
}

async function writePrompt(postgres: Connection, row: PromptRow): Promise<boolean> {
  try {
    await insertPrompt(postgres, row);
    return true;
  } catch (error) {
    // Bad data would be that again for ever.
    if (isPoison(readSqlState(error))) return false;
    throw error;
  }
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

interface LossNotice {
  note(loss: PromptLoss, count: number): void;
  /** What is still to be said. */
  sayRest(): void;
}

/** Says at once that something is not kept, then at most once a minute with how many there were. */
function makeLossNotice(clock: Clock, log: Logger): LossNotice {
  const unsaid = new Map<PromptLoss, number>();
  let saidAtMs = -Infinity;
  const say = (): void => {
    saidAtMs = clock.monotonicMs();
    log.warn({ event: 'prompts_dropped', ...Object.fromEntries(unsaid) }, 'prompts are not kept');
    unsaid.clear();
  };
  return {
    note(loss, count) {
      unsaid.set(loss, (unsaid.get(loss) ?? 0) + count);
      if (clock.monotonicMs() - saidAtMs >= SAID_EVERY_MS) say();
    },
    sayRest() {
      if (unsaid.size > 0) say();
    },
  };
}

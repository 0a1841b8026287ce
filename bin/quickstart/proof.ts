import { z } from 'zod';
import { systemClock } from '../../lib/time/clock.ts';
import { readAuditRow } from './audit-row.ts';
import { isAccepted, makeDemoKey, probeKey } from './demo-account.ts';
import type { Running } from './demo-account.ts';
import { demandNzgw } from './nzgw-child.ts';
import { streamChat } from './streamed-chat.ts';
import type { StreamedChat } from './streamed-chat.ts';
import { waitFor } from './wait-for.ts';

/** A revoked key is refused within this time (SPEC §1, promise 4). */
const REVOKED_WITHIN_MS = 1_000;

const revokedShape = z.object({ status: z.literal('revoked') });

export interface ProofPlan {
  readonly running: Running;
  readonly databaseUrl: string;
  readonly key: string;
  readonly model: string;
  readonly signal: AbortSignal;
  /** Told of each proof in a line. */
  readonly say: (line: string) => void;
}

/**
 * Shows that the gateway does what it is for, through its public listener and with the product's own
 * commands. Throws Error at the first thing that is not as promised.
 */
export async function prove(plan: ProofPlan): Promise<void> {
  const { say } = plan;
  const chat = await streamChat({ ...plan, url: plan.running.url });
  say(`chat    200  ${plan.model}, ${chat.lines} lines, ${showTokens(chat)}, ${showTimes(chat)}`);
  await provePullIsBlocked(plan);
  say('pull    403  a key of ours cannot load or delete models');
  const refusedAfterMs = await proveRevocation(plan);
  say(`revoked 401  a second key, refused ${refusedAfterMs} ms after it was revoked`);
  await proveAudit(plan, chat);
  say(`audit   ok   ${showTokens(chat)} read back from Postgres, request ${chat.requestId}`);
}

async function provePullIsBlocked({ running, key, model }: ProofPlan): Promise<void> {
  const response = await fetch(`${running.url}/api/pull`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model }),
  });
  await response.body?.cancel();
  if (response.status !== 403) throw new Error(`/api/pull got ${response.status}, not 403`);
}

/** Resolves to the time between the end of `nzgw revoke-key` and the refusal. */
async function proveRevocation({ running, signal }: ProofPlan): Promise<number> {
  const second = await makeDemoKey(running, 'quickstart proof, revoked');
  if (!(await isAccepted(running.url, second.key))) throw new Error('a new key was not accepted');
  await demandNzgw(['revoke-key', second.id], running.environment, revokedShape);
  const revokedMs = systemClock.monotonicMs();
  await waitFor(
    async () => ((await probeKey(running.url, second.key)) === 401 ? true : undefined),
    { withinMs: REVOKED_WITHIN_MS, what: 'a revoked key to get 401', signal },
  );
  return Math.round(systemClock.monotonicMs() - revokedMs);
}

async function proveAudit(plan: ProofPlan, chat: StreamedChat): Promise<void> {
  const row = await readAuditRow(plan.databaseUrl, chat.requestId, plan.signal);
  const right =
    row.status === 200 &&
    row.outcome === 'ok' &&
    row.prompt_tokens === chat.promptTokens &&
    row.completion_tokens === chat.completionTokens;
  if (!right) throw new Error(`the audit row differs from the reply: ${JSON.stringify(row)}`);
}

function showTokens({ promptTokens, completionTokens }: StreamedChat): string {
  return `${promptTokens} + ${completionTokens} tokens`;
}

function showTimes({ firstLineMs, totalMs }: StreamedChat): string {
  return `first after ${firstLineMs} ms, all after ${(totalMs / 1_000).toFixed(1)} s`;
}

import { expect } from 'chai';
import { systemClock } from '../../lib/time/clock.ts';
import type { LiveHold } from '../../lib/inspection/live-holds.ts';
import type { FakeRequest } from './fake-ollama.ts';
import { ask, ASK_OUTPUT_TOKENS } from './kill-requests.ts';
import type { Answer } from './kill-requests.ts';
import type { Caller, KillWorld } from './kill-world.ts';
import { checkLedger } from './ledger-check.ts';
import type { AuditRow } from './stack.ts';
import { until } from './until.ts';

/** A lease of the default length may be over 45 s after its last word; these are shorter. */
const REST_WITHIN_MS = 15_000;
const MOST_REQUESTS = 100;

/**
 * Waits until nothing runs and nothing is held; then ledger, audit and Redis must tell the same, and
 * every request that the upstream has seen must have its one row. The caller's rows of what was
 * admitted, by id.
 */
export async function readRowsAtRest(
  world: KillWorld,
  caller: Caller,
): Promise<ReadonlyMap<string, AuditRow>> {
  const beganAtMs = systemClock.monotonicMs();
  const { stack } = world;
  await checkLedger(stack, { admitted: stack.ollama.inferences.map(readAdmissionId) });
  expect(systemClock.monotonicMs() - beganAtMs, 'ms until rest').to.be.below(REST_WITHIN_MS);
  const rows = await stack.readAudit(caller.keyId, 0);
  const admitted = rows.filter(({ outcome }) => outcome !== 'refused');
  return new Map(admitted.map((row) => [String(row['id']), row]));
}

/**
 * A row that tells what nobody settled, with what its worker had told of it: that is charged unless
 * told otherwise.
 */
export function expectLost(
  row: AuditRow | undefined,
  { promptTokens, completionTokens }: LiveHold,
  chargedTokens = promptTokens + completionTokens,
): void {
  expect(row).to.include({
    outcome: 'lost',
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    charged_tokens: chargedTokens,
  });
}

/**
 * Spends what is left of a caller's budget, and proves that it was neither passed nor kept back:
 * what the rows charge leaves too little for one more request.
 */
export async function spendRest(world: KillWorld, caller: Caller): Promise<void> {
  let answer = await askWhenFree(world, caller);
  for (let count = 1; answer.retry; count += 1) {
    expect(count, 'requests until the budget is spent').to.be.below(MOST_REQUESTS);
    expect(answer.status, 'while it is spent').to.be.oneOf([0, 200]);
    answer = await askWhenFree(world, caller);
  }
  expect(answer.status, 'when it is spent').to.equal(429);
  const rows = await readRowsAtRest(world, caller);
  const charged = [...rows.values()].reduce((sum, row) => sum + Number(row['charged_tokens']), 0);
  const left = caller.budgetTokens - charged;
  expect(left, 'tokens left').to.be.at.least(0);
  expect(left, 'tokens left').to.be.at.most(world.holdTokens - ASK_OUTPUT_TOKENS);
}

/** An answer is over before its request is settled: until then its hold may be in the way (budget_held). */
function askWhenFree(world: KillWorld, caller: Caller): Promise<Answer> {
  return until(
    async () => {
      const answer = await ask(world.url, caller);
      return (answer.status !== 429 || !answer.retry) && answer;
    },
    { withinMs: REST_WITHIN_MS, what: 'the holds of what has ended to go' },
  );
}

/** Admission ids of what the upstream has seen since it had seen `from` requests. */
export function listForwarded(world: KillWorld, from = 0): readonly string[] {
  return world.stack.ollama.inferences.slice(from).map(readAdmissionId);
}

function readAdmissionId({ rawHeaders }: FakeRequest): string {
  const at = rawHeaders.findIndex((name, n) => n % 2 === 0 && /^x-request-id$/i.test(name));
  return rawHeaders[at + 1] ?? '';
}

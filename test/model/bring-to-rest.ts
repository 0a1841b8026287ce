import { expect } from 'chai';
import { findCounter, isIn } from './model-counters.ts';
import { bringBack, compareAll, drainAll } from './ownership.ts';
import { pass, perform } from './perform.ts';
import type { RealWorld } from './real-world.ts';
import type { Scope } from '../../lib/ledger/keys.ts';
import type { Story, StoryRequest } from './story.ts';
import { catchUp, endStream } from './work.ts';
import type { PeriodName } from '../../lib/ledger/counter.ts';

/** Everything comes to its end; then audit, ledger and counters must agree, and nothing be left over. */
export async function bringToRest(story: Story, real: RealWorld): Promise<void> {
  await bringBack(story, real);
  for (const request of story.running()) endStream(story, request, 7);
  await pass(story, real, untilAllIsDueMs(story));
  for (const worker of story.workers.keys()) await catchUp(story, real, worker);
  for (const [n, inc] of story.deadIncs.entries()) {
    const owner = n % story.owners.length;
    await perform(story, real, { kind: 'exit', owner, inc, most: 1_000 });
  }
  const owner = story.lockHolder;
  const { claim } = story.owner(owner);
  await perform(story, real, { kind: 'reap', owner, claim, most: 1_000 });
  await drainAll(story, real);

  if (!story.disturbed) checkSums(story, 'before any comparison');
  await compareAll(story, real);
  checkSums(story, 'after the comparison');
  checkNothingHeld(story);
  for (const request of story.requests.values()) checkRow(story, request);
}

/** A clock that was set back puts off what is due. */
function untilAllIsDueMs(story: Story): number {
  const deadlines = story
    .kept()
    .flatMap(([, , { act }]) => (act.kind === 'cancel' ? [act.cancellation.deadlineMs] : []));
  const dueMs = Math.max(...deadlines, ...story.shard.lapse.values(), story.shard.nowMs);
  return dueMs - story.shard.nowMs + 1;
}

/** Rows, ledger and counters of each scope and period come to the same. */
function checkSums(story: Story, when: string): void {
  for (const [scope, { counters }] of story.shard.budgets) {
    for (const period of counters.keys()) {
      const counter = findCounter(story.shard, scope, period);
      if (counter === undefined) continue;
      const sum = sumOfRows(story, scope, period);
      const what = `${scope} ${period} ${when}`;
      expect(counter, what).to.include({ spent: sum, held: 0 });
      expect(sumOfLedger(story, scope, period), what).to.equal(sum);
    }
  }
}

function checkNothingHeld({ shard }: Story): void {
  expect(shard.lapse.size).to.equal(0);
  expect(shard.events).to.have.length(0);
  for (const leases of shard.leases.values()) expect(leases.size).to.equal(0);
  const live = [...shard.holds.values()].filter(({ state }) => state === 'live');
  expect(live).to.have.length(0);
}

/** What was admitted has one row; a 503 is not charged; what a living worker settled is as it said. */
function checkRow(story: Story, request: StoryRequest): void {
  const { hold, state, entry, excused, released } = request;
  const row = story.store.rows.get(hold.id);
  const isKept = story.losses === request.lossesBefore || (story.isAlive(request) && !released);
  if (excused || !isKept) return;
  if (state === 'refused') {
    // The row of one that is forgotten stands: nobody knows any more when it was admitted.
    const isSure = story.isAlive(request) && !request.isForgotten;
    if (isSure) expect(row?.tokens ?? 0, 'a 503 was charged').to.equal(0);
    return;
  }
  expect(row, `the row of ${hold.id}`).not.to.equal(undefined);
  if (entry !== null && story.isAlive(request)) {
    expect(row).to.include({ outcome: 'ok', tokens: entry.chargedTokens });
  }
}

function sumOfRows(story: Story, scope: Scope, period: PeriodName): number {
  return [...story.store.rows.values()]
    .filter(({ key, tenant, at }) => isOf({ key, tenant }, scope) && isIn(period, at))
    .reduce((sum, { tokens }) => sum + tokens, 0);
}

function sumOfLedger(story: Story, scope: Scope, period: PeriodName): number {
  return [...story.store.ledger]
    .map(([place, tokens]) => [place.split('|'), tokens] as const)
    .filter(([[tenant = '', key = '', day = '']]) => {
      return isOf({ key, tenant }, scope) && isIn(period, Date.parse(`${day}T12:00:00Z`));
    })
    .reduce((sum, [, tokens]) => sum + tokens, 0);
}

function isOf({ key, tenant }: { key: string; tenant: string }, scope: Scope): boolean {
  return scope === `k:${key}` || scope === `t:${tenant}`;
}

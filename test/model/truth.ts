import { expect } from 'chai';
import type { AdmitRequest } from '../../lib/ledger/admit-request.ts';
import type { PeriodName } from '../../lib/ledger/counter.ts';
import type { Scope } from '../../lib/ledger/keys.ts';
import { countRunning, levelsOf, periodOf } from './model-admit.ts';
import { findCounter, isIn } from './model-counters.ts';
import { sumOf } from './model-window.ts';
import { idOf } from './shard.ts';
import type { Shard } from './shard.ts';
import type { Story, StoryRequest } from './story.ts';

const MINUTE_MS = 60_000;

/** Tokens that a request has cost or still may cost. */
export function truthOf(story: Story, request: StoryRequest): number {
  if (request.state === 'refused' || request.excused) return 0;
  if (request.isCutOff && !isKnownToStores(story, request)) return 0;
  if (request.state === 'running' && story.isAlive(request)) return request.hold.heldTokens;
  const generated = request.promptTokens + request.completionTokens;
  return Math.min(generated, request.capTokens ?? generated);
}

/** What a counter must at least account for. */
export function truthIn(story: Story, scope: Scope, period: PeriodName): number {
  return [...story.requests.values()]
    .filter(({ hold }) => isOf(hold, scope) && isIn(period, hold.admittedAtMs))
    .reduce((sum, request) => sum + truthOf(story, request), 0);
}

/** After every command: no counter that admission goes by is too low. */
export function checkCounters(story: Story, what: string): void {
  excuseUnknown(story, what);
  const { life, budgets } = story.shard;
  if (life?.run !== 'this' || !life.ready) return;
  for (const [scope, { counters }] of budgets) {
    for (const period of counters.keys()) {
      const counter = findCounter(story.shard, scope, period);
      if (counter === undefined) continue;
      const truth = truthIn(story, scope, period);
      if (counter.spent + counter.held < truth) {
        expect.fail(
          `${scope} ${period}: spent ${counter.spent} + held ${counter.held} < ${truth} after ${what}`,
        );
      }
    }
  }
}

/** After every admission: no limit was passed, neither by what Redis counts nor in truth. */
export function checkAdmission(story: Story, request: AdmitRequest): void {
  for (const { scope, limits } of levelsOf(request)) {
    const { budgetTokens, requestsPerMinute, tokensPerMinute, concurrency } = limits;
    const period = periodOf(limits, story.shard.nowMs);
    const counter = period && findCounter(story.shard, scope, period);
    if (budgetTokens !== null && period) {
      expect(counter ? counter.spent + counter.held : Infinity).to.be.at.most(budgetTokens);
      expect(truthIn(story, scope, period)).to.be.at.most(budgetTokens);
    }
    checkMinute(story, `rpm:${scope}`, requestsPerMinute);
    checkMinute(story, `tpm:${scope}`, tokensPerMinute);
    if (concurrency === null) continue;
    expect(countRunning(story.shard, scope)).to.be.at.most(concurrency);
    expect(countTruly(story, scope)).to.be.at.most(concurrency);
  }
}

/** Whether the shard may become ready: whatever a living worker knows, Redis or Postgres knows too. */
export function isCaughtUp(story: Story): boolean {
  return [...story.requests.values()].every(
    (request) => truthOf(story, request) === 0 || isKnownToStores(story, request),
  );
}

function checkMinute(story: Story, name: string, limit: number | null): void {
  if (limit === null) return;
  const entries = story.shard.windows.get(name)?.entries ?? [];
  const from = story.trueMs - MINUTE_MS;
  const inMinute = sumOf(entries.filter(({ trueMs }) => trueMs >= from));
  expect(inMinute, `${name} in a minute`).to.be.at.most(limit);
}

/** Streams that are open while their lease lives. */
function countTruly(story: Story, scope: Scope): number {
  const { lapse, nowMs } = story.shard;
  return story
    .running()
    .filter(({ hold }) => isOf(hold, scope) && (lapse.get(hold.id) ?? 0) > nowMs).length;
}

/**
 * What nobody alive or durable knows any more is excused, but only after a loss of Redis's data, and
 * only if its worker is dead or kept it for as long as it must.
 */
function excuseUnknown(story: Story, what: string): void {
  for (const request of story.requests.values()) {
    const isKnown = isKnownToStores(story, request);
    if (isKnown) request.isCutOff = false;
    if (isKnown || truthOf(story, request) === 0) continue;
    const isAlive = story.isAlive(request);
    if (isAlive && !request.released) continue;
    if (story.losses === request.lossesBefore) {
      expect.fail(`${request.hold.id} is known to nobody after ${what}`);
    }
    request.excused = true;
  }
}

function isKnownToStores(story: Story, { hold }: StoryRequest): boolean {
  const { holds, events } = story.shard;
  const state = holds.get(hold.id)?.state;
  if (state === 'live' || state === 'reaped' || story.store.rows.has(hold.id)) return true;
  return hasEvent(events, hold.id);
}

function hasEvent(events: Shard['events'], id: string): boolean {
  return events.some((event) => idOf(event) === id);
}

function isOf(hold: { keyId: string; tenantId: string }, scope: Scope): boolean {
  return scope === `k:${hold.keyId}` || scope === `t:${hold.tenantId}`;
}

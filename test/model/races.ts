import { expect } from 'chai';
import type { Admission } from '../../lib/ledger/ask-admission.ts';
import type { Action } from './action.ts';
import { pick } from './action.ts';
import { makeAdmitOp } from './admissions.ts';
import type { Draw } from './admissions.ts';
import { findCounter } from './model-counters.ts';
import { periodOf } from './model-admit.ts';
import { lookAt } from './model-window.ts';
import type { Op } from './ops.ts';
import { isReady } from './ownership.ts';
import { performAtOnce } from './perform.ts';
import { CALLERS, NO_LIMITS } from './population.ts';
import type { Story, StoryRequest } from './story.ts';
import { endStream, noteRepetition, toOp, toRunning } from './work.ts';

/** Every worker asks at the same moment for the last that a budget, a slot or a minute has left. */
export function raceForLast(draw: Draw, what: 'budget' | 'slot' | 'minute'): Action {
  return {
    name: `raceForLast(${JSON.stringify(draw)}, ${what})`,
    canRun: (story) => isReady(story) && hasTotal(story, draw),
    async run(story, real) {
      const ops = [...story.workers.keys()].map((worker) => {
        const op = makeAdmitOp(story, { ...draw, worker, maxWaitingEntries: 1_000_000 });
        const keyLimits = leaveOne(story, draw, what);
        return { ...op, request: { ...op.request, keyLimits, tenantLimits: NO_LIMITS } };
      });
      const replies = (await performAtOnce(story, real, ops)) as readonly Admission[];
      expect(replies.filter(({ kind }) => kind === 'ok')).to.have.length(1);
    },
  };
}

/** Everything that may end a request happens to it at once: one of them does. */
export function raceToEnd(n: number, draw: { tokens: number; order: number }): Action {
  return {
    name: `raceToEnd(${n}, ${JSON.stringify(draw)})`,
    canRun: (story) => story.running().length > 0,
    async run(story, real) {
      const request = pick(story.running(), n);
      const before = toRunning(request);
      endStream(story, request, draw.tokens);
      const all = endings(story, request, before);
      const chosen = [0, 1, 2].map((step) => pick(all, draw.order + step * (1 + (draw.order % 2))));
      await performAtOnce(story, real, [...new Set(chosen)]);
    },
  };
}

function endings(story: Story, request: StoryRequest, running: ReturnType<typeof toRunning>): Op[] {
  const { worker, inc, hold } = request;
  const item = story.worker(worker).ring.get(hold.id);
  if (item === undefined) throw new Error('its settlement is kept');
  noteRepetition(story, item);
  // If it was reaped before, a hold made anew beside its row counts twice.
  story.disturbed = true;
  const owner = story.lockHolder;
  return [
    toOp(item, worker),
    { kind: 'rehold', worker, inc, running: [running] },
    { kind: 'renew', worker, running: [running] },
    { ...toOp(item, worker), worker: (worker + 1) % story.workers.length } as Op,
    { kind: 'reap', owner, claim: story.owner(owner).claim, most: 100 },
  ];
}

/** Limits by which exactly one more request passes. */
function leaveOne(story: Story, draw: Draw, what: 'budget' | 'slot' | 'minute'): typeof NO_LIMITS {
  const scope = `k:${pick(CALLERS, draw.caller).keyId}` as const;
  if (what === 'slot') {
    const leases = [...(story.shard.leases.get(scope)?.values() ?? [])];
    const running = leases.filter((ms) => ms > story.shard.nowMs).length;
    return { ...NO_LIMITS, concurrency: running + 1 };
  }
  if (what === 'minute') {
    const { sum } = lookAt(story.shard.windows.get(`rpm:${scope}`), story.shard.nowMs);
    return { ...NO_LIMITS, requestsPerMinute: sum + 1 };
  }
  const limits = { ...NO_LIMITS, budgetTokens: 0, budgetPeriod: 'total' as const };
  const counter = findCounter(story.shard, scope, periodOf(limits, story.shard.nowMs) ?? 't');
  const used = counter ? counter.spent + counter.held : 0;
  const need = draw.promptTokens + draw.extraBoundTokens + draw.askedTokens;
  return { ...limits, budgetTokens: used + need };
}

function hasTotal(story: Story, draw: Draw): boolean {
  const scope = `k:${pick(CALLERS, draw.caller).keyId}` as const;
  return findCounter(story.shard, scope, 't') !== undefined;
}

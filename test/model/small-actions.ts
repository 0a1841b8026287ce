import { sampleEntry } from '../support/sample-request.ts';
import type { Action } from './action.ts';
import { pick } from './action.ts';
import { makeAdmitOp } from './admissions.ts';
import type { Draw } from './admissions.ts';
import { pass, perform } from './perform.ts';
import { CALLERS, LIMITS, SCOPES } from './population.ts';

/** Time passes; by a negative number of milliseconds Redis's clock is set back. */
export function wait(ms: number): Action {
  return { name: `wait(${ms})`, run: (story, real) => pass(story, real, ms) };
}

/** A limit is raised, lowered, removed or put back. */
export function changeLimits(scope: number, limits: number): Action {
  return {
    name: `changeLimits(${scope}, ${limits})`,
    run: (story) => {
      story.limits.set(pick(SCOPES, scope), pick(LIMITS, limits));
      return Promise.resolve();
    },
  };
}

/** A caller asks what it has used. */
export function peek(draw: Draw): Action {
  return {
    name: `peek(${draw.caller})`,
    run: async (story, real) => {
      const { worker, request } = makeAdmitOp(story, draw);
      await perform(story, real, { kind: 'peek', worker, request });
    },
  };
}

/** A refusal is kept for the audit log. */
export function note(worker: number, caller: number): Action {
  return {
    name: `note(${worker}, ${caller})`,
    run: async (story, real) => {
      const entry = sampleEntry({
        ...{ ...pick(CALLERS, caller), id: story.makeId(), admittedAtMs: story.shard.nowMs },
        ...{ outcome: 'refused', refusalCode: 'limiter_unavailable', status: 503 },
        ...{ promptTokens: 0, completionTokens: 0, chargedTokens: 0 },
      });
      await perform(story, real, { kind: 'note', worker, entry });
    },
  };
}

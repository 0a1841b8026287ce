import { expect } from 'chai';
import type { AdmitRequest } from '../../lib/ledger/admit-request.ts';
import type { Admission } from '../../lib/ledger/ask-admission.ts';
import type { Verdict } from '../../lib/ledger/admit-reply.ts';
import type { Action } from './action.ts';
import { fillAll } from './ownership.ts';
import { pass, perform } from './perform.ts';
import { CALLERS, NO_LIMITS } from './population.ts';
import { pick } from './action.ts';
import { TIMEOUT_MS } from './real-world.ts';
import type { RealWorld } from './real-world.ts';
import type { AdmitOp } from './model-admit.ts';
import type { Story } from './story.ts';

export interface Draw {
  readonly worker: number;
  readonly caller: number;
  readonly promptTokens: number;
  readonly extraBoundTokens: number;
  readonly askedTokens: number;
  readonly maxWaitingEntries: number;
  /** Whether the owner drains before it fills what is missing. */
  readonly isDrained: boolean;
  /** What becomes of the reply: heard; lost, so that the client is told 503; or it comes too late. */
  readonly fate: 'heard' | 'lost' | 'late';
}

/** A request is admitted, or told why not; counters that are missing are filled if the owner can. */
export function admit(draw: Draw): Action {
  return {
    name: `admit(${JSON.stringify(draw)})`,
    async run(story, real) {
      if (draw.fate === 'late') stopWorker(story, real, draw.worker % story.workers.length);
      const first = await ask(story, real, draw);
      if (draw.fate === 'late') expect(first.reply.kind).to.equal('late');
      if (first.reply.kind === 'no') await tryAtEndOfWait(story, real, { draw, first });
    },
  };
}

/** Makes an op of what was drawn, with the limits of the moment. */
export function makeAdmitOp(story: Story, draw: Draw): AdmitOp {
  const { keyId, tenantId } = pick(CALLERS, draw.caller);
  const worker = draw.worker % story.workers.length;
  const request: AdmitRequest = {
    ...{ id: story.makeId(), keyId, tenantId },
    facts: {
      ...{ clientAddress: null, clientRequestId: null, dialect: 'native', endpoint: 'chat' },
      ...{ streamed: true, model: 'llama3:latest' },
    },
    keyLimits: story.limits.get(`k:${keyId}`) ?? NO_LIMITS,
    tenantLimits: story.limits.get(`t:${tenantId}`) ?? NO_LIMITS,
    promptTokens: draw.promptTokens,
    promptBoundTokens: draw.promptTokens + draw.extraBoundTokens,
    askedTokens: draw.askedTokens,
    leastTokens: Math.min(64, draw.askedTokens),
    maxWaitingEntries: draw.maxWaitingEntries,
    timeoutMs: TIMEOUT_MS,
  };
  const { inc } = story.worker(worker);
  const deadlineMs = story.estimateMs(worker) + TIMEOUT_MS;
  return { kind: 'admit', worker, inc, request, deadlineMs, trueMs: story.trueMs };
}

interface Asked {
  readonly op: AdmitOp;
  readonly reply: Admission;
}

async function ask(story: Story, real: RealWorld, draw: Draw): Promise<Asked> {
  const first = await askOnce(story, real, draw);
  if (first.reply.kind !== 'fill' || !(await fillAll(story, real, draw.isDrained))) return first;
  const second = await askOnce(story, real, draw);
  expect(second.reply.kind, 'all that was missing was named at once').not.to.equal('fill');
  return second;
}

async function askOnce(story: Story, real: RealWorld, draw: Draw): Promise<Asked> {
  const op = makeAdmitOp(story, draw);
  const reply = (await perform(story, real, op)) as Admission;
  if (reply.kind === 'ok' && draw.fate === 'lost') forgetReply(story, op);
  return { op, reply };
}

/** The worker heard nothing: its client is told 503, and a cancel will be due at the deadline. */
export function forgetReply(story: Story, { request, worker, deadlineMs }: AdmitOp): void {
  const { id, keyId, tenantId } = request;
  story.request(id).state = 'refused';
  const cancellation = { id, shard: 0, keyId, tenantId, deadlineMs };
  story.worker(worker).ring.set(id, { act: { kind: 'cancel', cancellation }, ackedAtMs: null });
}

/** Retry-After is right to the millisecond: one earlier it is refused, at the time it passes. */
async function tryAtEndOfWait(
  story: Story,
  real: RealWorld,
  { draw, first }: { readonly draw: Draw; readonly first: Asked },
): Promise<void> {
  const waitMs = waitOf(first);
  if (waitMs === null) return;
  expect(waitMs).to.be.at.least(1);
  await pass(story, real, waitMs - 1);
  const early = await ask(story, real, { ...draw, fate: 'heard' });
  expect(isTimed(early), 'a millisecond too early').to.equal(true);
  await pass(story, real, 1);
  const inTime = await ask(story, real, { ...draw, fate: 'heard' });
  expect(isTimed(inTime), 'after the wait').to.equal(false);
}

/** The longest wait, where nothing but time is in the way of a request that fits at all. */
function waitOf({ op, reply }: Asked): number | null {
  if (reply.kind !== 'no' || reply.backlog) return null;
  const levels = [
    [reply.key, op.request.keyLimits],
    [reply.tenant, op.request.tenantLimits],
  ] as const;
  const need = op.request.promptTokens + op.request.leastTokens;
  const isHopeless = levels.some(
    ([verdict, limits]) =>
      verdict.concurrency ||
      verdict.budget !== null ||
      (limits.requestsPerMinute ?? 1) < 1 ||
      (limits.tokensPerMinute ?? need) < need,
  );
  const waits = levels.flatMap(([verdict]) => waitsOf(verdict));
  return isHopeless || waits.length === 0 ? null : Math.max(...waits);
}

function isTimed({ reply }: Asked): boolean {
  return reply.kind === 'no' && [reply.key, reply.tenant].some((one) => waitsOf(one).length > 0);
}

function waitsOf({ requestsWaitMs, tokensWaitMs }: Verdict): readonly number[] {
  return [requestsWaitMs, tokensWaitMs].filter((wait) => wait !== null);
}

/** A worker's host stood still, so that it takes Redis's time to be earlier than it is. */
function stopWorker(story: Story, real: RealWorld, worker: number): void {
  const ms = story.estimateMs(worker) + TIMEOUT_MS - story.shard.nowMs + 1;
  if (ms <= 0) return;
  story.stoppedMs[worker] = (story.stoppedMs[worker] ?? 0) + ms;
  real.stoppedMs[worker] = story.stoppedMs[worker];
}

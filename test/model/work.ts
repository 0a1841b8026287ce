import { expect } from 'chai';
import type { Entry } from '../../lib/ledger/entry.ts';
import type { RenewReply, Running } from '../../lib/ledger/renew-request.ts';
import { sampleEntry } from '../support/sample-request.ts';
import type { Action } from './action.ts';
import { pick } from './action.ts';
import type { Op } from './ops.ts';
import { perform } from './perform.ts';
import { GENERATIONS, nameWorker } from './real-world.ts';
import type { RealWorld } from './real-world.ts';
import { scopesOf } from './shard.ts';
import type { KeptItem, Story, StoryRequest } from './story.ts';

const KEPT_MS = 10_000;

/** A stream goes on. */
export function generate(n: number, tokens: number): Action {
  return {
    name: `generate(${n}, ${tokens})`,
    canRun: (story) => story.running().length > 0,
    run: (story) => {
      goOn(pick(story.running(), n), tokens);
      return Promise.resolve();
    },
  };
}

/** A stream ends, and is settled; `heard`: the acknowledgement came. */
export function end(n: number, draw: { tokens: number; sent: boolean; heard: boolean }): Action {
  return {
    name: `end(${n}, ${JSON.stringify(draw)})`,
    canRun: (story) => story.running().length > 0,
    run: async (story, real) => {
      const request = pick(story.running(), n);
      endStream(story, request, draw.tokens);
      if (draw.sent) await send(story, real, { id: request.hold.id, ...request, ...draw });
    },
  };
}

/** The request's stream is over: its settlement is due. */
export function endStream(story: Story, request: StoryRequest, tokens: number): Entry {
  goOn(request, tokens);
  const { hold, promptTokens, completionTokens, model } = request;
  const { id, admittedAtMs, tenantId, keyId } = hold;
  const chargedTokens = promptTokens + completionTokens;
  const entry = sampleEntry({
    ...{ id, admittedAtMs, tenantId, keyId, model, promptTokens, completionTokens, chargedTokens },
  });
  request.state = 'ended';
  request.entry = entry;
  const { ring, unknown } = story.worker(request.worker);
  unknown.delete(id);
  ring.set(id, { act: { kind: 'settle', entry }, ackedAtMs: null });
  return entry;
}

/** Something that is kept is sent, for the first time or again. */
export function sendKept(n: number, heard: boolean): Action {
  return {
    name: `sendKept(${n}, ${String(heard)})`,
    canRun: (story) => story.kept().length > 0,
    run: async (story, real) => {
      const [worker, id] = pick(story.kept(), n);
      await send(story, real, { id, worker, heard });
    },
  };
}

async function send(
  story: Story,
  real: RealWorld,
  { id, worker, heard }: { readonly id: string; readonly worker: number; readonly heard: boolean },
): Promise<void> {
  const item = story.worker(worker).ring.get(id);
  if (item === undefined) throw new Error('it is not kept');
  noteRepetition(story, item);
  const reply = await perform(story, real, toOp(item, worker));
  if (heard && reply !== false) item.ackedAtMs = story.trueMs;
}

export function toOp({ act }: KeptItem, worker: number): Op {
  return act.kind === 'settle'
    ? { kind: 'settle', worker, entry: act.entry }
    : { kind: 'cancel', worker, cancellation: act.cancellation };
}

/**
 * A settlement of what Redis no longer knows may be charged twice until the next comparison, and a
 * loss stays charged where a counter was filled since.
 */
export function noteRepetition(story: Story, { act }: KeptItem): void {
  const id = act.kind === 'settle' ? act.entry.id : act.cancellation.id;
  const hold = story.shard.holds.get(id);
  if (hold === undefined && act.kind === 'settle') story.disturbed = true;
  if (hold?.state !== 'reaped') return;
  const fills = scopesOf(hold).map((scope) => story.shard.budgets.get(scope)?.fills ?? 0);
  if (fills.join(' ') !== hold.fillsAtLoss.join(' ')) story.disturbed = true;
}

/** A worker renews its leases and learns what Redis has lost. */
export function renew(worker: number): Action {
  return { name: `renew(${worker})`, run: (story, real) => renewOnce(story, real, worker) };
}

async function renewOnce(story: Story, real: RealWorld, n: number): Promise<void> {
  const worker = story.worker(n);
  const running = story.running(n).map(toRunning);
  const waiting = [...worker.ring].flatMap(([id, { act, ackedAtMs }]) =>
    act.kind === 'settle' && ackedAtMs === null ? [toRunning(story.request(id))] : [],
  );
  const op = { kind: 'renew', worker: n, running: [...running, ...waiting] } as const;
  const reply = (await perform(story, real, op)) as RenewReply;
  worker.unknown.clear();
  for (const id of reply.unknown) {
    if (story.request(id).state === 'running') worker.unknown.add(id);
  }
  if (reply.lifeId !== worker.lifeSeen) {
    for (const item of worker.ring.values()) item.ackedAtMs = null;
    worker.lifeSeen = reply.lifeId;
  } else if (reply.current) release(story, n);
}

function release(story: Story, n: number): void {
  const { ring } = story.worker(n);
  for (const [id, { ackedAtMs }] of ring) {
    if (ackedAtMs === null || story.trueMs - ackedAtMs < KEPT_MS) continue;
    ring.delete(id);
    story.request(id).released = true;
  }
}

/** A worker holds again what Redis has lost; `all`: also what it has not. */
export function rehold(worker: number, all: boolean): Action {
  return {
    name: `rehold(${worker}, ${String(all)})`,
    canRun: (story) => (all ? story.running(worker).length : story.worker(worker).unknown.size) > 0,
    run: (story, real) => reholdNow(story, real, { worker, all }),
  };
}

async function reholdNow(
  story: Story,
  real: RealWorld,
  { worker, all }: { readonly worker: number; readonly all: boolean },
): Promise<void> {
  const { unknown, inc } = story.worker(worker);
  const running = story.running(worker).filter(({ hold }) => all || unknown.has(hold.id));
  if (running.length === 0) return;
  // Held again beside the row of its loss, it counts twice until a comparison after its end.
  if (running.some(({ wasReaped }) => wasReaped)) story.disturbed = true;
  await perform(story, real, { kind: 'rehold', worker, inc, running: running.map(toRunning) });
  unknown.clear();
}

/** A worker hears of the present life, sends again what it keeps and holds again what it runs. */
export async function catchUp(story: Story, real: RealWorld, worker: number): Promise<void> {
  await renewOnce(story, real, worker);
  for (const [id, item] of story.worker(worker).ring) {
    if (item.ackedAtMs === null) await send(story, real, { id, worker, heard: true });
  }
  await reholdNow(story, real, { worker, all: false });
}

/** A worker dies, and all that only it knew; another takes its place. */
export function kill(worker: number): Action {
  return {
    name: `kill(${worker})`,
    canRun: (story) => story.worker(worker).generation + 1 < GENERATIONS,
    async run(story, real) {
      const one = story.worker(worker);
      story.deadIncs.push(one.inc);
      one.generation += 1;
      one.inc = nameWorker(worker, one.generation);
      one.lifeSeen = null;
      one.ring.clear();
      one.unknown.clear();
      await real.startWorker(worker, one.generation);
      story.learnTime(worker);
    },
  };
}

/** A primary saw that a worker is gone. */
export function exit(n: number, most: number): Action {
  return {
    name: `exit(${n}, ${most})`,
    canRun: (story) => story.deadIncs.length > 0,
    run: async (story, real) => {
      const inc = pick(story.deadIncs, n);
      await perform(story, real, { kind: 'exit', owner: n % story.owners.length, inc, most });
    },
  };
}

export function toRunning({ hold, promptTokens, completionTokens }: StoryRequest): Running {
  return { hold, promptTokens, completionTokens };
}

/** So many tokens more, the prompt's first, within what was bounded and granted. */
function goOn(request: StoryRequest, tokens: number): void {
  const ofPrompt = Math.min(tokens, request.promptBoundTokens - request.promptTokens);
  request.promptTokens += ofPrompt;
  const room = request.grantedTokens - request.completionTokens;
  request.completionTokens += Math.min(tokens - ofPrompt, room);
  const { promptTokens, completionTokens, hold } = request;
  expect(promptTokens + completionTokens).to.be.at.most(hold.heldTokens);
}

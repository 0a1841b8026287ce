import { expect } from 'chai';
import type { Admission } from '../../lib/ledger/ask-admission.ts';
import type { AdmitOp } from './model-admit.ts';
import { applyOp } from './ops.ts';
import type { Op } from './ops.ts';
import { readSnapshot, setTtls } from './read-snapshot.ts';
import type { RealWorld } from './real-world.ts';
import { expectSame, expectUnchanged } from './same-snapshot.ts';
import { expire, idOf } from './shard.ts';
import { snapshotOf } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import type { Story } from './story.ts';
import { checkAdmission, checkCounters } from './truth.ts';

/** Replies by which a worker learns Redis's time. */
const TELLING_TIME: ReadonlySet<Op['kind']> = new Set(['admit', 'cancel', 'note', 'renew']);

/** Does one thing in reality and in the model, compares both in full, and checks what must hold. */
export async function perform(story: Story, real: RealWorld, op: Op): Promise<unknown> {
  const before = snapshotOf(story.shard);
  const reply = await real.send(op);
  const what = describeOp(op);
  applyAndNote(story, op, (expected) => {
    expect(reply, what).to.deep.equal(expected);
  });
  const after = await readSnapshot(real.redis);
  expectSame(after, snapshotOf(story.shard), what);
  checkOp(story, op, { reply, before, after });
  return reply;
}

/** Several at once, each on its own connection: some order of them must explain what came of it. */
export async function performAtOnce(
  story: Story,
  real: RealWorld,
  ops: readonly Op[],
): Promise<readonly unknown[]> {
  const replies = await Promise.all(ops.map((op) => real.send(op)));
  const after = await readSnapshot(real.redis);
  const order = permute(ops.map((_, n) => n)).find((places) => {
    const shard = structuredClone(story.shard);
    const matches = places.every((place) => {
      const [op, reply] = [ops[place], replies[place]];
      return op !== undefined && isSame(applyOp(shard, op), reply);
    });
    return matches && isSameSnapshot(after, snapshotOf(shard));
  });
  const what = ops.map(describeOp).join(' beside ');
  if (order === undefined) {
    return expect.fail(`no order explains ${what}: ${JSON.stringify(replies)}`);
  }
  for (const place of order) {
    const op = ops[place];
    if (op !== undefined) applyAndNote(story, op, () => undefined);
  }
  expectSame(after, snapshotOf(story.shard), what);
  checkCounters(story, what);
  return replies;
}

/** Time passes, or Redis's clock is set back by a negative number. */
export async function pass(story: Story, real: RealWorld, ms: number): Promise<void> {
  const { shard } = story;
  shard.nowMs += ms;
  story.trueMs += Math.max(0, ms);
  real.trueMs = story.trueMs;
  const before = snapshotOf(shard);
  const reaped = [...shard.holds];
  expire(shard);
  for (const [id, { state }] of reaped) {
    if (state === 'reaped' && !shard.holds.has(id)) story.request(id).isForgotten = true;
  }
  const ttls = [...before].flatMap(([name, { ttlMs }]): [string, number][] =>
    ttlMs === null ? [] : [[name, ttlMs]],
  );
  await real.setTime(shard.nowMs);
  if (ttls.length > 0) await setTtls(real.redis, new Map(ttls));
  checkCounters(story, `${ms} ms`);
}

function checkOp(
  story: Story,
  op: Op,
  { reply, before, after }: { reply: unknown; before: Snapshot; after: Snapshot },
): void {
  const what = describeOp(op);
  if (op.kind === 'admit') {
    const { kind } = reply as Admission;
    if (kind === 'ok') checkAdmission(story, op.request);
    else {
      const isKept = (name: string): boolean => kind !== 'fill' || name !== 'fills';
      expectUnchanged(before, after, { isKept, what: `a refused ${what}` });
    }
  }
  const tenant = tenantOf(op);
  if (tenant !== undefined) {
    const others = otherNames(story, tenant);
    const isKept = (name: string): boolean => others.some((other) => name.includes(other));
    expectUnchanged(before, after, { isKept, what: `another tenant's ${what}` });
  }
  checkCounters(story, what);
}

/** Changes the model, then what the actors learn and what becomes true by it. */
function applyAndNote(story: Story, op: Op, check: (reply: unknown) => void): void {
  const eventsBefore = story.shard.events.length;
  const reply = applyOp(story.shard, op);
  check(reply);
  if (TELLING_TIME.has(op.kind) && 'worker' in op) story.learnTime(op.worker);
  if (op.kind === 'admit') noteAdmission(story, op, reply as Admission);
  for (const event of story.shard.events.slice(eventsBefore)) {
    const request = story.requests.get(idOf(event));
    if (request === undefined || event.kind !== 'lost') continue;
    request.wasReaped = true;
    if (op.kind !== 'exit') continue;
    request.capTokens = Math.min(event.tokens, request.capTokens ?? Infinity);
  }
}

function noteAdmission(story: Story, { request, worker, inc }: AdmitOp, reply: Admission): void {
  if (reply.kind !== 'ok') return;
  const { hold, grantedTokens } = reply;
  const { promptBoundTokens, facts } = request;
  story.requests.set(request.id, {
    ...{ hold, promptBoundTokens, grantedTokens, model: facts.model, worker, inc },
    ...{ state: 'running', promptTokens: 0, completionTokens: 0, entry: null },
    ...{
      capTokens: null,
      released: false,
      excused: false,
      wasReaped: false,
      isForgotten: false,
      isCutOff: false,
      lossesBefore: story.losses,
    },
  });
}

function tenantOf(op: Op): string | undefined {
  if (op.kind === 'admit' || op.kind === 'peek') return op.request.tenantId;
  if (op.kind === 'settle' || op.kind === 'note') return op.entry.tenantId;
  return op.kind === 'cancel' ? op.cancellation.tenantId : undefined;
}

/** Ids in the names of keys that are not of this tenant: scopes and holds. */
function otherNames(story: Story, tenant: string): readonly string[] {
  const others = [...story.requests.values()].filter(({ hold }) => hold.tenantId !== tenant);
  return others.flatMap(({ hold }) => [hold.id, `k:${hold.keyId}`, `t:${hold.tenantId}`]);
}

function describeOp(op: Op): string {
  const by = 'owner' in op ? `owner ${op.owner}` : `worker ${op.worker}`;
  return `${op.kind} by ${by}`;
}

function isSame(a: unknown, b: unknown): boolean {
  try {
    expect(a).to.deep.equal(b);
    return true;
  } catch {
    return false;
  }
}

function isSameSnapshot(real: Snapshot, model: Snapshot): boolean {
  try {
    expectSame(real, model, 'a race');
    return true;
  } catch {
    return false;
  }
}

function permute(places: readonly number[]): readonly (readonly number[])[] {
  if (places.length < 2) return [places];
  return places.flatMap((first) =>
    permute(places.filter((place) => place !== first)).map((rest) => [first, ...rest]),
  );
}

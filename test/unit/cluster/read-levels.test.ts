import { expect } from 'chai';
import { readPrimaryLevels } from '../../../lib/cluster/read-levels.ts';
import type { LevelParts, ToldDuties } from '../../../lib/cluster/read-levels.ts';

const NOW_MS = 100_000;
const SHARD = { shard: 0, owner: true, ready: true, answeredAtMs: NOW_MS };

function tell(duties?: Partial<ToldDuties>): ReturnType<typeof readPrimaryLevels> {
  const idle: LevelParts = {
    version: '1.2.3',
    workers: 2,
    readiness: { status: 'fail', checks: { redis: { status: 'fail', ms: 4 } } },
    clock: { monotonicMs: () => NOW_MS },
    trustLeaseMs: 750,
    duties: undefined,
    budgets: [],
  };
  return readPrimaryLevels(
    duties === undefined ? idle : { ...idle, duties: { ...QUIET, ...duties } },
  );
}

const never = (): never => {
  throw new Error('nobody asks for this');
};
const trustUntil = (deadlineMs: number): Pick<ToldDuties, 'trust'> => ({
  trust: {
    ...{ firstSnapshot: Promise.resolve(), wake: never, stop: never },
    state: () => ({ deadlineMs, session: null }),
  },
});
const QUIET: ToldDuties = {
  ...trustUntil(-Infinity),
  discovery: { pollNow: never, stop: never, state: () => ({ version: 0, upstreams: [] }) },
  shards: { state: () => [], wake: never, wakeAll: never, stop: never },
  sweeper: { sweptAtMs: null, stop: never },
  isListening: () => false,
};

describe('cluster/read-levels', () => {
  it('before the duties run nobody is believed, and nothing is known of the rest', () => {
    const levels = tell();
    expect(levels).to.include({ ready: false, trusted: false, revocationLagSeconds: null });
    expect(levels.sweepAgeSeconds).to.equal(null);
    expect(levels.checks).to.deep.equal([{ check: 'redis', passing: false, seconds: 0.004 }]);
    expect(levels.shards).to.deep.equal([]);
    expect(levels.upstreams).to.deep.equal([]);
  });

  it('counts the lag of revocations from when the changes were asked for', () => {
    expect(tell(trustUntil(NOW_MS + 500))).to.include({
      trusted: true,
      revocationLagSeconds: 0.25,
    });
    expect(tell(trustUntil(NOW_MS - 250))).to.include({ trusted: false, revocationLagSeconds: 1 });
    expect(tell({})).to.include({ trusted: false, revocationLagSeconds: null });
  });

  it('tells since when nothing was swept, as far as that is known', () => {
    expect(tell({}).sweepAgeSeconds).to.equal(null);
    const sweeper = { sweptAtMs: NOW_MS - 7_000, stop: never };
    expect(tell({ sweeper }).sweepAgeSeconds).to.equal(7);
  });

  it('an upstream that was never read has no age, and one that was not polled yet is not up', () => {
    const upstream = { url: 'u', answering: null, models: 0, ollamaVersion: null };
    const upstreams = [
      { ...upstream, polledAtMs: null },
      { ...upstream, answering: true, polledAtMs: NOW_MS - 3_000 },
    ];
    const discovery = { ...QUIET.discovery, state: () => ({ version: 0, upstreams }) };
    expect(tell({ discovery }).upstreams).to.deep.equal([
      { upstream: 'u', up: false, models: 0, ageSeconds: null },
      { upstream: 'u', up: true, models: 0, ageSeconds: 3 },
    ]);
  });

  it('the lag of a shard is of its oldest entry: none waits, none is late; not owned, not known', () => {
    const states = [
      { ...SHARD, waiting: 0, oldestAtMs: null },
      { ...SHARD, waiting: 7, oldestAtMs: NOW_MS - 2_000 },
      { ...SHARD, owner: false, waiting: null, oldestAtMs: null },
    ];
    const { shards } = tell({ shards: { ...QUIET.shards, state: () => states } });
    expect(shards.map(({ lagSeconds }) => lagSeconds)).to.deep.equal([0, 2, null]);
  });
});

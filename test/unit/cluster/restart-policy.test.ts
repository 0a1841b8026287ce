import { expect } from 'chai';
import { makeRestartPolicy } from '../../../lib/cluster/restart-policy.ts';

describe('cluster/restart-policy', () => {
  it('waits 100 ms and doubles, so that a worker that dies at once does not spin', () => {
    const policy = makeRestartPolicy();
    expect([0, 10_000, 20_000, 31_000].map((at) => policy.noteExit(at))).to.deep.equal([
      100, 200, 400, 800,
    ]);
  });

  it('never waits longer than 10 s', () => {
    const policy = makeRestartPolicy();
    const pauses = Array.from({ length: 12 }, (_, n) => policy.noteExit(n * 20_000));
    expect(Math.max(...pauses.map((pause) => pause ?? 0))).to.equal(10_000);
  });

  it('forgets after a calm minute', () => {
    const policy = makeRestartPolicy();
    policy.noteExit(0);
    policy.noteExit(1_000);
    expect(policy.noteExit(62_000)).to.equal(100);
  });

  it('calls the sixth exit in 30 s a crash loop', () => {
    const policy = makeRestartPolicy();
    const pauses = [0, 1, 2, 3, 4, 5].map((second) => policy.noteExit(second * 1_000));
    expect(pauses.slice(0, 5)).to.not.include(undefined);
    expect(pauses[5]).to.equal(undefined);
  });
});

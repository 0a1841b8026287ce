import { expect } from 'chai';
import { lookAtClock } from '../../../../bin/doctor/clock-offset.ts';
import type { Clock } from '../../../../lib/time/clock.ts';

const HERE_MS = Date.parse('2026-11-30T10:00:00Z');

/** A host whose questions take these times, one after the other. */
function makeClock(tookMs: readonly number[]): Clock {
  const steps = tookMs.flatMap((took) => [0, took]);
  let monotonicMs = 0;
  return {
    wallMs: () => HERE_MS,
    monotonicMs: () => (monotonicMs += steps.shift() ?? 0),
  };
}

function look(aheadMs: number, tookMs: readonly number[] = [2, 2, 2]): Promise<unknown> {
  const answers = [...tookMs];
  // The answer is made half-way between the question and its arrival.
  return lookAtClock(makeClock(tookMs), 'Redis', () =>
    Promise.resolve(HERE_MS + aheadMs + (answers.shift() ?? 0) / 2),
  );
}

describe('bin/doctor/clock-offset', () => {
  it('a clock that is near is right, one that is a second off is odd, half a minute is wrong', async () => {
    expect(await look(4)).to.deep.equal({
      status: 'pass',
      seen: "the clock of Redis is 4 ms ahead of this machine's",
      hint: null,
    });
    expect(await look(-5_000)).to.include({
      status: 'warn',
      seen: "the clock of Redis is 5,000 ms behind this machine's",
    });
    expect(await look(60_000)).to.include({ status: 'fail' });
  });

  it('a way that took long is no offset: half of it is taken off', async () => {
    expect(await look(0, [4_000, 4_000, 4_000])).to.include({ status: 'pass' });
  });

  it('what is no time is no pass', async () => {
    const finding = await lookAtClock(makeClock([1, 1, 1]), 'Redis', () => Promise.resolve(NaN));
    expect(finding.status).to.equal('fail');
  });
});

import { expect } from 'chai';
import { makePause } from '../../../lib/time/pause.ts';
import { systemClock } from '../../../lib/time/clock.ts';

async function measure(act: () => Promise<void>): Promise<number> {
  const startMs = systemClock.monotonicMs();
  await act();
  return systemClock.monotonicMs() - startMs;
}

describe('time/pause', () => {
  it('waits for the time given', async () => {
    expect(await measure(() => makePause().wait(30))).to.be.at.least(29);
  });

  it('ends at a wake', async () => {
    const pause = makePause();
    const waited = measure(() => pause.wait(60_000));
    pause.wake();
    expect(await waited).to.be.below(1_000);
  });

  it('does not wait if it was woken before, and only that once', async () => {
    const pause = makePause();
    pause.wake();
    expect(await measure(() => pause.wait(60_000))).to.be.below(1_000);
    expect(await measure(() => pause.wait(30))).to.be.at.least(29);
  });
});

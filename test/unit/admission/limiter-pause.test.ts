import { expect } from 'chai';
import { makeLimiterPause } from '../../../lib/admission/limiter-pause.ts';

describe('admission/limiter-pause', () => {
  it('refuses everything for a second after three time-outs in a row', () => {
    let nowMs = 5_000;
    const pause = makeLimiterPause(() => nowMs);
    pause.noteTimeout();
    pause.noteTimeout();
    expect(pause.isOn()).to.equal(false);
    pause.noteTimeout();
    expect(pause.isOn()).to.equal(true);
    nowMs += 999;
    expect(pause.isOn()).to.equal(true);
    nowMs += 1;
    expect(pause.isOn()).to.equal(false);
  });

  it('begins to count anew once Redis answers', () => {
    const pause = makeLimiterPause(() => 0);
    pause.noteTimeout();
    pause.noteTimeout();
    pause.noteAnswer();
    pause.noteTimeout();
    pause.noteTimeout();
    expect(pause.isOn()).to.equal(false);
  });

  it('pauses again at the next time-out while Redis has not answered since', () => {
    let nowMs = 0;
    const pause = makeLimiterPause(() => nowMs);
    for (let index = 0; index < 3; index += 1) pause.noteTimeout();
    nowMs = 2_000;
    pause.noteTimeout();
    expect(pause.isOn()).to.equal(true);
  });
});

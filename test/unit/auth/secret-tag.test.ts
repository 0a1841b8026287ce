import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { makeSecretTag, matchSecretTag } from '../../../lib/auth/secret-tag.ts';

const current = 'a pepper of at least thirty-two bytes';
const previous = 'the pepper that was in use before this';
const key = 'nz_abc';

describe('auth/secret-tag', () => {
  it('is the first half of an HMAC-SHA-256 under the pepper', () => {
    const whole = createHmac('sha256', current).update(key).digest('hex');
    expect(makeSecretTag(current, key).toString('hex')).to.equal(whole.slice(0, 32));
  });

  it('tells which pepper a tag was made with', () => {
    const peppers = { current, previous };
    const match = (tag: Buffer) => matchSecretTag(peppers, key, tag.toString('hex'));
    expect(match(makeSecretTag(current, key))).to.equal('current');
    expect(match(makeSecretTag(previous, key))).to.equal('previous');
    expect(match(makeSecretTag('some other pepper, never in use here', key))).to.equal('none');
  });

  it('believes no tag of a previous pepper once that is gone', () => {
    const tag = makeSecretTag(previous, key).toString('hex');
    expect(matchSecretTag({ current, previous: null }, key, tag)).to.equal('none');
  });

  it('is accepted by every host at every step of a change of peppers, in its order', () => {
    // docs/OPERATIONS.md; hosts are restarted one by one, so two neighbours run side by side.
    const steps = [
      { current: previous, previous: null },
      { current: previous, previous: current },
      { current, previous },
    ];
    for (const [n, step] of steps.slice(1).entries()) {
      const hosts = [steps[n] ?? step, step];
      for (const maker of hosts) {
        const tag = makeSecretTag(maker.current, key).toString('hex');
        for (const host of hosts) {
          expect(matchSecretTag(host, key, tag), `step ${n + 1}`).to.not.equal('none');
        }
      }
    }
  });

  it('refuses a wrong secret and a tag of the wrong size', () => {
    const tag = makeSecretTag(current, key).toString('hex');
    expect(matchSecretTag({ current, previous }, 'nz_abd', tag)).to.equal('none');
    for (const broken of ['', 'zz', tag.slice(2), `${tag}00`]) {
      expect(matchSecretTag({ current, previous: null }, key, broken)).to.equal('none');
    }
  });
});

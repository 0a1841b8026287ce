import { expect } from 'chai';
import { makeFailureLimiter } from '../../../lib/auth/failure-limiter.ts';
import { refusalOf } from '../../support/auth-world.ts';

describe('auth/failure-limiter', () => {
  let nowMs: number;
  let waitMs: number;
  let asked: string[];
  const clock = { monotonicMs: () => nowMs, wallMs: () => nowMs };
  const counts = {
    check: (address: string) => {
      asked.push(`check ${address}`);
      return Promise.resolve(waitMs);
    },
    fail: (address: string) => {
      asked.push(`fail ${address}`);
      return Promise.resolve(waitMs);
    },
  };

  beforeEach(() => {
    nowMs = 0;
    waitMs = 0;
    asked = [];
  });

  it('lets an address pass that has not failed too often', async () => {
    const limiter = makeFailureLimiter(counts, clock);
    await limiter.check('192.0.2.1');
    await limiter.fail('192.0.2.1');
    expect(asked).to.deep.equal(['check 192.0.2.1', 'fail 192.0.2.1']);
  });

  it('refuses an address that must wait, without asking again until its wait ends', async () => {
    const limiter = makeFailureLimiter(counts, clock);
    waitMs = 1_500.2;
    await limiter.fail('2001:db8::1');
    const refusal = await refusalOf(limiter.check('2001:db8::2'));
    expect(refusal.code).to.equal('too_many_failures');
    expect(refusal.details.retryAfterMs).to.equal(1_501);
    await refusalOf(limiter.fail('2001:db8::3'));
    expect(asked).to.have.length(1);

    await limiter.fail('2001:db8:0:1::1');
    nowMs = 1_501;
    waitMs = 0;
    await limiter.check('2001:db8::2');
    expect(asked).to.have.length(3);
  });

  it('refuses at a check what Redis says must wait', async () => {
    waitMs = 700;
    const refusal = await refusalOf(makeFailureLimiter(counts, clock).check('192.0.2.1'));
    expect(refusal.details.retryAfterMs).to.equal(700);
  });

  it('says 503 when failures cannot be counted', async () => {
    const away = () => Promise.reject(new Error('away'));
    const limiter = makeFailureLimiter({ check: away, fail: away }, clock);
    expect((await refusalOf(limiter.check('a'))).code).to.equal('auth_unavailable');
    expect((await refusalOf(limiter.fail('a'))).code).to.equal('auth_unavailable');
  });

  it('remembers a bounded number of addresses', async () => {
    const limiter = makeFailureLimiter(counts, clock, 2);
    waitMs = 1_000;
    for (const address of ['a', 'b', 'c']) await limiter.fail(address);
    asked = [];
    await limiter.fail('a');
    expect(asked).to.deep.equal(['fail a']);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { Breaker } from '../../../lib/upstream/breaker.ts';
import type { Pass, Verdict } from '../../../lib/upstream/breaker.ts';

const RULES = { failures: 3, openMs: 5_000 };
const MAX_OPEN_MS = 60_000;

describe('upstream/breaker', () => {
  let nowMs: number;
  let breaker: Breaker;

  beforeEach(() => {
    nowMs = 1_000_000;
    breaker = new Breaker(RULES, { monotonicMs: () => nowMs });
  });

  function enter(): Pass {
    const pass = breaker.enter();
    if (!pass) throw new Error('nothing passes');
    return pass;
  }

  function judge(...verdicts: readonly Verdict[]): void {
    for (const verdict of verdicts) enter().judge(verdict);
  }

  function open(): void {
    judge('failure', 'failure', 'failure');
  }

  it('lets everything pass until so many have failed in a row', () => {
    judge('failure', 'failure');
    expect([breaker.state(), breaker.waitMs()]).to.deep.equal(['closed', 0]);
    judge('failure');
    expect([breaker.state(), breaker.waitMs()]).to.deep.equal(['open', 5_000]);
    expect(breaker.enter()).to.equal(null);
  });

  it('begins to count anew after a success, and does not after what shows nothing', () => {
    judge('failure', 'failure', 'success', 'failure', 'failure');
    expect(breaker.state()).to.equal('closed');
    judge('none', 'none', 'failure');
    expect(breaker.state()).to.equal('open');
  });

  it('tells what is left until it is half open, and is half open then without being asked', () => {
    open();
    nowMs += 4_999;
    expect([breaker.state(), breaker.waitMs(), breaker.enter()]).to.deep.equal(['open', 1, null]);
    nowMs += 1;
    expect([breaker.state(), breaker.waitMs()]).to.deep.equal(['half_open', 0]);
  });

  it('half open lets one request pass, and those beside it are told to come back', () => {
    open();
    nowMs += 5_000;
    const probe = enter();
    expect([breaker.state(), breaker.waitMs()]).to.deep.equal(['half_open', 1_000]);
    expect(breaker.enter()).to.equal(null);
    probe.judge('success');
    expect([breaker.state(), breaker.waitMs()]).to.deep.equal(['closed', 0]);
  });

  it('doubles its time with every failed probe, up to a minute; a success forgets that', () => {
    open();
    for (const seconds of [10, 20, 40, 60, 60]) {
      nowMs += breaker.waitMs();
      judge('failure');
      expect(breaker.waitMs()).to.equal(seconds * 1_000);
    }
    nowMs += 60_000;
    judge('success');
    open();
    expect(breaker.waitMs()).to.equal(5_000);
  });

  it('a probe whose client left makes room for another and judges nothing', () => {
    open();
    nowMs += 5_000;
    const probe = enter();
    probe.judge('none');
    expect([breaker.state(), breaker.waitMs()]).to.deep.equal(['half_open', 0]);
    const next = enter();
    probe.judge('failure');
    expect(breaker.enter()).to.equal(null);
    next.judge('failure');
    expect(breaker.waitMs()).to.equal(10_000);
  });

  it('the first verdict of a request counts alone', () => {
    const pass = enter();
    pass.judge('success');
    for (let i = 0; i < 5; i += 1) pass.judge('failure');
    expect(breaker.state()).to.equal('closed');
  });

  it('what passed before it opened changes nothing after that, whatever it shows', () => {
    const late: readonly Pass[] = Array.from({ length: 6 }, enter);
    open();
    late[0]?.judge('success');
    late[1]?.judge('failure');
    expect([breaker.state(), breaker.waitMs()]).to.deep.equal(['open', 5_000]);
    nowMs += 5_000;
    const probe = enter();
    late[2]?.judge('success');
    late[3]?.judge('failure');
    late[4]?.judge('none');
    expect([breaker.state(), breaker.enter()]).to.deep.equal(['half_open', null]);
    probe.judge('success');
    judge('failure', 'failure');
    late[5]?.judge('failure');
    expect(breaker.state()).to.equal('closed');
  });

  it('holds under any story: one probe at most, nothing while open, and it comes back', () => {
    fc.assert(fc.property(fc.array(arbitraryStep(), { maxLength: 200 }), play), { numRuns: 500 });
  });
});

type Step =
  { readonly waitMs: number } | { readonly judge: number; readonly as: Verdict } | 'enter';

function arbitraryStep(): fc.Arbitrary<Step> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant('enter' as const) },
    {
      weight: 4,
      arbitrary: fc.record({
        judge: fc.nat(30),
        as: fc.constantFrom<Verdict>('success', 'failure', 'failure', 'none'),
      }),
    },
    { weight: 1, arbitrary: fc.record({ waitMs: fc.nat(70_000) }) },
  );
}

interface Out {
  readonly pass: Pass;
  readonly isProbe: boolean;
}

function play(steps: readonly Step[]): void {
  let nowMs = 0;
  const breaker = new Breaker(RULES, { monotonicMs: () => nowMs });
  const out: Out[] = [];

  const enter = (): void => {
    const before = breaker.state();
    const waitMs = breaker.waitMs();
    expect(waitMs).to.be.within(0, MAX_OPEN_MS);
    const pass = breaker.enter();
    expect(pass === null).to.equal(waitMs > 0);
    if (before === 'open') expect(pass).to.equal(null);
    if (pass) out.push({ pass, isProbe: before === 'half_open' });
    expect(out.filter(({ isProbe }) => isProbe).length).to.be.at.most(1);
  };
  for (const step of steps) {
    if (step === 'enter') enter();
    else if ('waitMs' in step) nowMs += step.waitMs;
    else {
      const [judged] = out.splice(step.judge % Math.max(1, out.length), 1);
      judged?.pass.judge(step.as);
    }
  }

  // Whatever happened: once nobody is out, time and one good request are enough.
  for (const { pass } of out) pass.judge('none');
  nowMs += MAX_OPEN_MS;
  expect(breaker.state()).to.be.oneOf(['closed', 'half_open']);
  breaker.enter()?.judge('success');
  expect(breaker.state()).to.equal('closed');
  expect(breaker.enter()).not.to.equal(null);
}

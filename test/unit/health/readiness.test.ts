import { expect } from 'chai';
import { watchReadiness } from '../../../lib/health/readiness.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { until } from '../../support/until.ts';

const soon = { withinMs: 2_000, what: 'the change' };

describe('health/readiness', () => {
  it('is ready only while every probe says yes, and tells each change once', async () => {
    const changes: string[] = [];
    let redis = true;
    const watch = watchReadiness({
      probes: { postgres: () => true, redis: () => Promise.resolve(redis) },
      clock: systemClock,
      everyMs: 5,
      timeoutMs: 100,
      onChange: ({ status }) => changes.push(status),
    });

    await until(() => watch.current().status === 'pass', soon);
    redis = false;
    await until(() => watch.current().status === 'fail', soon);
    expect(watch.current().checks['redis']?.status).to.equal('fail');
    expect(watch.current().checks['postgres']?.status).to.equal('pass');
    await watch.stop();
    expect(changes).to.deep.equal(['pass', 'fail']);
  });

  it('tells what is missing from the first look on, and each time that it is something else', async () => {
    const missing: string[] = [];
    const there = { postgres: true, redis: false };
    const watch = watchReadiness({
      probes: { postgres: () => there.postgres, redis: () => there.redis },
      clock: systemClock,
      everyMs: 5,
      timeoutMs: 100,
      onChange: ({ checks }, before) => {
        const names = Object.entries(checks).filter(([, { status }]) => status === 'fail');
        missing.push(`${before.status}: ${names.map(([name]) => name).join()}`);
      },
    });
    await until(() => missing.length === 1, soon);
    there.postgres = false;
    await until(() => missing.length === 2, soon);
    there.redis = true;
    await until(() => missing.length === 3, soon);
    there.postgres = true;
    await until(() => missing.length === 4, soon);
    there.redis = false;
    await until(() => missing.length === 5, soon);
    await watch.stop();
    const expected = ['fail: redis', 'fail: postgres,redis', 'fail: postgres', 'fail: '];
    expect(missing).to.deep.equal([...expected, 'pass: redis']);
  });

  it('a probe that throws, rejects or never answers is a no', async () => {
    const watch = watchReadiness({
      probes: {
        throws: () => {
          throw new Error('no');
        },
        rejects: () => Promise.reject(new Error('no')),
        hangs: () => new Promise<boolean>(() => undefined),
        passes: () => true,
      },
      clock: systemClock,
      everyMs: 5,
      timeoutMs: 10,
      onChange: () => undefined,
    });
    await until(() => Object.keys(watch.current().checks).length === 4, soon);
    await watch.stop();

    const verdicts = Object.entries(watch.current().checks).map(([name, { status }]) => [
      name,
      status,
    ]);
    expect(Object.fromEntries(verdicts)).to.deep.equal({
      throws: 'fail',
      rejects: 'fail',
      hangs: 'fail',
      passes: 'pass',
    });
  });
});

import { expect } from 'chai';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { readMissing } from '../support/observe-fault.ts';
import { scrape } from '../support/read-metrics.ts';
import { startStackBehindProxy } from '../support/stack-behind-proxy.ts';
import type { Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

/** SPEC §12: readiness flips within 2 s, both ways. */
const FLIP_MS = 2_000;

describe('e2e: readiness without Postgres', function () {
  this.timeout(30_000);
  let stack: Stack;
  let postgres: FaultProxy;

  before(async () => {
    ({ stack, postgres } = await startStackBehindProxy());
  });
  after(async () => {
    await stack.stop();
    await postgres.close();
  });

  async function untilAnswered(status: number): Promise<void> {
    const { url, adminUrl } = stack.gateway;
    await until(
      async () => {
        const answers = await Promise.all([url, adminUrl].map((one) => fetch(`${one}/readyz`)));
        for (const answer of answers) await answer.text();
        return answers.every((answer) => answer.status === status);
      },
      { withinMs: FLIP_MS, what: `${status} of /readyz on both listeners` },
    );
  }

  async function readGauge(name: string): Promise<number | undefined> {
    return (await scrape(stack.gateway.adminUrl)).get(name)?.series.get(name);
  }

  for (const [how, lose] of [
    ['refuses', 'reset'],
    ['is silent', 'blackhole'],
  ] as const) {
    it(`is over within 2 s when Postgres ${how}, is back 2 s after it is, and metrics say so`, async () => {
      expect(await readGauge('gateway_ready')).to.equal(1);
      postgres[lose]();
      await untilAnswered(503);
      expect(await readMissing(stack)).to.satisfy((missing: readonly string[]) =>
        missing.some((check) => check === 'postgres' || check === 'trust'),
      );
      expect(await readGauge('gateway_ready')).to.equal(0);
      await until(async () => (await readGauge('gateway_trust_valid')) === 0, {
        withinMs: FLIP_MS,
        what: 'the metrics to know that nobody is believed',
      });
      const lag = await readGauge('gateway_revocation_lag_seconds');
      expect(lag).to.be.above(0.7);

      postgres.pass();
      await untilAnswered(200);
      expect(await readMissing(stack)).to.deep.equal([]);
      expect(await readGauge('gateway_trust_valid')).to.equal(1);
      expect(await readGauge('gateway_revocation_lag_seconds')).to.be.below(0.75);
    });
  }
});

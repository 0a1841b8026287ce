import { expect } from 'chai';
import { loadSettings } from '../../../lib/config/load-settings.ts';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { makeBookkeeping } from '../../../lib/gateway/make-bookkeeping.ts';
import { FleetMetrics } from '../../../lib/metrics/fleet-metrics.ts';
import { makeWorkerMetrics } from '../../../lib/metrics/worker-metrics.ts';
import { openRedis } from '../../../lib/store/redis.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { PEPPER } from '../../support/launch-gateway.ts';
import { recordLog } from '../../support/record-log.ts';
import { sampleExchange, samplePrincipal } from '../../support/sample-request.ts';
import { readAll } from '../../support/read-metrics.ts';

describe('gateway/make-bookkeeping', () => {
  it('counts the refusals that it cannot keep while Redis is away, and says so once', async () => {
    const { settings } = loadSettings({
      DATABASE_URL: 'postgres://127.0.0.1:9/none',
      REDIS_URL: 'redis://127.0.0.1:9',
      OLLAMA_URL: 'http://127.0.0.1:9',
      NZGW_KEY_PEPPER: PEPPER,
      NZGW_REFUSAL_RING: '10',
    });
    const { log, lines } = recordLog();
    const metrics = makeWorkerMetrics({ tenants: 1, models: 1 });
    const redis = openRedis({
      url: settings.redisUrl,
      connectionName: 'test',
      commandTimeoutMs: 1_000,
    });
    const books = makeBookkeeping({
      settings,
      clock: systemClock,
      log,
      redis,
      shards: 1,
      incarnation: 'a-worker',
      notices: { asking: () => undefined, fills: () => undefined },
      chooseNumCtx: () => null,
      cutAddress: () => null,
      metrics,
    });
    const refused = {
      principal: samplePrincipal(),
      refusal: new GatewayError('not_found', 'text'),
    };
    for (let round = 0; round < 25; round += 1) books.audit(sampleExchange(), refused);

    const fleet = new FleetMetrics({ tenants: 1, models: 1 });
    fleet.take('w1', [...metrics.take(), ...books.readLevels()]);
    expect(await readAll(fleet)).to.match(/^gateway_refusals_dropped_total 15$/m);
    expect(await readAll(fleet)).to.match(/^gateway_refusal_ring_fill_ratio 1$/m);
    expect(lines.map(({ event, dropped }) => [event, dropped])).to.deep.equal([
      ['refusals_dropped', 1],
    ]);
    expect(await books.flush(1)).to.equal(10);
    redis.disconnect();
  });
});

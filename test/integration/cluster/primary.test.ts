import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import { PRIMARY_EXIT } from '../../../lib/cluster/primary.ts';
import { runPrimary } from '../../../lib/cluster/run-primary.ts';
import { loadSettings } from '../../../lib/config/load-settings.ts';
import { ROOT } from '../../../lib/root.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { PEPPER } from '../../support/launch-gateway.ts';
import { recordLog } from '../../support/record-log.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';
import { makeDatabase } from '../../support/test-postgres.ts';
import { startTestRedis } from '../../support/test-redis.ts';

describe('cluster/primary', function () {
  this.timeout(30_000);

  it('a stop that came before the stores had answered ends it, and no worker is started', async () => {
    const [database, redis, runtime] = await Promise.all([
      makeDatabase(),
      startTestRedis(),
      makeTemporaryDirectory('run'),
    ]);
    const { settings, texts } = loadSettings({
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      OLLAMA_URL: 'http://127.0.0.1:9',
      NZGW_KEY_PEPPER: PEPPER,
      NZGW_ADMIN_PORT: '0',
      NZGW_ALLOW_VOLATILE_REDIS: 'true',
      RUNTIME_DIRECTORY: runtime.path,
    });
    const { log, lines } = recordLog();
    const exit = await runPrimary({
      settings,
      texts,
      environment: {},
      clock: systemClock,
      log,
      workerEntry: new URL('workers/no-such-entry.ts', ROOT),
      onHangup: () => undefined,
      stop: AbortSignal.abort(),
    });
    expect(exit).to.equal(PRIMARY_EXIT.stopped);
    expect(lines.map(({ event }) => event)).to.not.include('worker_exit');
    expect(readdirSync(runtime.path)).to.deep.equal([]);
    await runtime.remove();
    await database.drop();
  });
});

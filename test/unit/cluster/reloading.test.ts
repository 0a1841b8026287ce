import { expect } from 'chai';
import type { Child } from '../../../lib/cluster/child.ts';
import { Reloading } from '../../../lib/cluster/reloading.ts';
import type { Crew } from '../../../lib/cluster/roll.ts';
import { loadSettings } from '../../../lib/config/load-settings.ts';
import { recordLog } from '../../support/record-log.ts';
import { until } from '../../support/until.ts';

const ENVIRONMENT = {
  DATABASE_URL: 'postgresql:///gateway',
  REDIS_URL: 'unix:///run/redis.sock',
  OLLAMA_URL: 'http://127.0.0.1:11434',
  NZGW_KEY_PEPPER: 'p'.repeat(32),
};

/** Workers whose replacement meets what nobody thought of. */
class BrokenCrew implements Crew<Child> {
  hasOutdated(): boolean {
    return true;
  }
  adopt(): void {
    throw new Error('not asked for');
  }
  forkOnTrial(): Child {
    throw new RangeError('nobody thought of this');
  }
  takeOver(): undefined {
    return undefined;
  }
  retire(): Promise<void> {
    return Promise.resolve();
  }
  discard(): void {
    throw new Error('not asked for');
  }
}

describe('cluster/reloading', () => {
  it('that breaks off says so, is over, and can be asked for again', async () => {
    const { settings, texts } = loadSettings(ENVIRONMENT);
    const { log, lines } = recordLog();
    const busy: boolean[] = [];
    const reloading = new Reloading({
      inForce: { settings, texts },
      environment: ENVIRONMENT,
      log,
      stop: new AbortController().signal,
      onAccepted: () => undefined,
      onRetire: () => undefined,
      onBusy: (isBusy) => busy.push(isBusy),
    });
    reloading.begin(new BrokenCrew());
    for (const count of [1, 2]) {
      reloading.request();
      await until(() => busy.length === 2 * count, { withinMs: 1_000, what: 'its end' });
      const failures = lines.filter(({ event }) => event === 'reload_failed');
      expect(failures).to.have.length(count);
      expect(failures[0]).to.include({ level: 'error', 'error.type': 'RangeError' });
    }
    expect(busy).to.deep.equal([true, false, true, false]);
  });
});

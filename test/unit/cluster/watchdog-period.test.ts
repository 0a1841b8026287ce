import { expect } from 'chai';
import { readWatchdogMs } from '../../../lib/cluster/watchdog-period.ts';

describe('cluster/watchdog-period', () => {
  it('is in milliseconds, for the process that is meant', () => {
    expect(readWatchdogMs({ WATCHDOG_USEC: '30000000' }, 7)).to.equal(30_000);
    expect(readWatchdogMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 7)).to.equal(30_000);
  });

  it('is none for another process, and where it is not set, or no number', () => {
    expect(readWatchdogMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, 7)).to.equal(undefined);
    for (const environment of [{}, { WATCHDOG_USEC: '' }, { WATCHDOG_USEC: '0' }]) {
      expect(readWatchdogMs(environment, 7)).to.equal(undefined);
    }
    expect(readWatchdogMs({ WATCHDOG_USEC: 'infinity' }, 7)).to.equal(undefined);
  });
});

import { expect } from 'chai';
import { listOuterAddresses } from '../../lib/health/outer-addresses.ts';
import { startStack } from '../support/stack.ts';
import type { Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

describe('e2e: an Ollama that listens for everybody', function () {
  this.timeout(30_000);
  let stack: Stack;

  before(async () => {
    stack = await startStack({ workers: 1, ollama: { host: '0.0.0.0' } });
  });
  after(() => stack.stop());

  it('is told of loudly when the gateway starts, and the gateway starts all the same', async () => {
    const outer = (listOuterAddresses() ?? []).filter((address) => !address.includes(':'));
    const events = await until(
      () => {
        const found = stack.gateway.events('upstream_exposed');
        return (found.length > 0 || outer.length === 0) && found;
      },
      { withinMs: 5_000, what: 'the warning' },
    );
    for (const address of outer) {
      expect(events[0]).to.include({ level: 'warn', upstream: stack.ollama.url });
      expect(events[0]?.['addresses']).to.include(address);
    }
    const ready = await fetch(`${stack.gateway.url}/readyz`);
    expect(ready.status).to.equal(200);
  });
});

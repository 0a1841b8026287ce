import { expect } from 'chai';
import { openAdminServer } from '../../../lib/cluster/admin-server.ts';
import type { AdminServer } from '../../../lib/cluster/admin-server.ts';

const LARGE = 'gateway_ready 1\n'.repeat(10_000);

describe('cluster/admin-server', () => {
  let admin: AdminServer;
  let parts: readonly string[];
  let breaksOff: boolean;

  before(async () => {
    admin = await openAdminServer({
      host: '127.0.0.1',
      port: 0,
      readiness: () => ({ status: 'pass', checks: {} }),
      renderMetrics: () => render(),
    });
  });
  after(() => admin.close());

  async function* render(): AsyncGenerator<string, void> {
    for (const part of parts) yield await Promise.resolve(part);
    if (breaksOff) throw new Error('a metric cannot be told');
  }

  const scrape = (signal?: AbortSignal): Promise<Response> =>
    fetch(`http://127.0.0.1:${admin.port}/metrics`, signal ? { signal } : {});

  it('sends a large text in its parts, whole', async () => {
    parts = [LARGE, LARGE, 'last 1\n'];
    breaksOff = false;
    const response = await scrape();
    expect(response.status).to.equal(200);
    expect(await response.text()).to.equal(parts.join(''));
  });

  it('a text that breaks off is not taken for the whole', async () => {
    for (const before of [[], [LARGE]]) {
      parts = before;
      breaksOff = true;
      const outcome = await scrape()
        .then((response) => response.text())
        .catch(() => 'failed');
      expect(outcome).to.equal('failed');
    }
  });

  it('a scraper that leaves in the middle harms nobody', async () => {
    parts = Array.from({ length: 100 }, () => LARGE);
    breaksOff = false;
    const leave = new AbortController();
    const response = await scrape(leave.signal);
    leave.abort();
    expect(await response.text().catch(() => 'left')).to.equal('left');
    parts = ['last 1\n'];
    expect(await (await scrape()).text()).to.equal('last 1\n');
  });
});

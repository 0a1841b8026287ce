import { expect } from 'chai';
import type Nock from 'nock';
import { DiscoveryFault } from '../../../lib/discovery/discovery-fault.ts';
import { fetchJson } from '../../../lib/discovery/fetch-json.ts';

const URL = 'http://upstream.test/api/tags';

describe('discovery/fetch-json', () => {
  let nock: typeof Nock;

  // nock takes over all HTTP of the process when it is imported: only for as long as this file runs.
  before(async () => {
    nock = (await import('nock')).default;
    if (!nock.isActive()) nock.activate();
  });
  afterEach(() => {
    nock.cleanAll();
  });
  after(() => {
    nock.restore();
  });

  async function faultOf(): Promise<unknown> {
    const asking = fetchJson({ url: URL, timeoutMs: 1_000, signal: new AbortController().signal });
    return asking.catch((error: unknown) => error);
  }

  it('reads a reply of status 200', async () => {
    nock('http://upstream.test').get('/api/tags').reply(200, { models: [] });
    expect(await faultOf()).to.deep.equal({ models: [] });
  });

  it('says what went wrong by a code, and nothing that the upstream said', async () => {
    nock('http://upstream.test').get('/api/tags').reply(503, { error: 'secret' });
    const fault = await faultOf();
    expect(fault).to.be.instanceOf(DiscoveryFault);
    expect(fault).to.include({ code: 'upstream_status', message: 'upstream_status' });
    expect((fault as Error).cause).to.equal(undefined);
  });

  it('says no more of a fault of the network', async () => {
    nock('http://upstream.test').get('/api/tags').replyWithError('secret');
    expect(await faultOf()).to.include({ code: 'upstream_unreachable' });
  });
});

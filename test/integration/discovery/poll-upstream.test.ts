import { expect } from 'chai';
import { DiscoveryFault } from '../../../lib/discovery/discovery-fault.ts';
import { pollUpstream } from '../../../lib/discovery/poll-upstream.ts';
import type { Poll } from '../../../lib/discovery/poll-upstream.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { until } from '../../support/until.ts';
import { ListingServer, answerJson } from './listing-server.ts';

describe('discovery/poll-upstream', () => {
  let upstream: ListingServer;
  const stop = new AbortController();

  beforeEach(async () => {
    upstream = await new ListingServer().start();
  });
  afterEach(() => upstream.stop());

  function poll(more: Partial<Parameters<typeof pollUpstream>[0]> = {}): Promise<Poll> {
    return pollUpstream({
      url: upstream.url,
      timeoutMs: 2_000,
      allowCloudModels: false,
      clock: systemClock,
      known: new Map(),
      signal: stop.signal,
      ...more,
    });
  }

  async function faultOf(polling: Promise<Poll>): Promise<string> {
    try {
      await polling;
    } catch (error) {
      if (error instanceof DiscoveryFault) return error.code;
      throw error;
    }
    return 'none';
  }

  it('finds models, running ones and the version, and shows each new digest once', async () => {
    upstream.models = ['LLaMA3:8B', 'b:latest'];
    const first = await poll();
    expect(first.snapshot.ollamaVersion).to.equal('0.33.0');
    expect(first.snapshot.running).to.have.length(2);
    expect(first.missing).to.equal(0);
    const [model] = first.snapshot.models;
    expect(model?.entry.key).to.equal('registry.ollama.ai/library/llama3:8b');
    expect(model?.entry.name).to.equal('LLaMA3:8B');
    expect(model?.entry.ownTextBytes).to.equal('LLaMA3:8B 1'.length);
    expect(model?.shown).to.deep.equal({
      capabilities: ['tools'],
      modified_at: '2026-01-01T00:00:00Z',
    });
    expect(upstream.count('/api/show')).to.equal(2);

    upstream.models = ['LLaMA3:8B'];
    const second = await poll({ known: first.shows });
    expect(upstream.count('/api/show')).to.equal(2);
    expect(second.shows.size).to.equal(1);

    upstream.edition = 2;
    await poll({ known: second.shows });
    expect(upstream.count('/api/show')).to.equal(3);
  });

  it('asks by constant lines, and tells nothing of who asks', async () => {
    await poll();
    expect(upstream.asked.map(({ line }) => line).sort()).to.deep.equal([
      'GET /api/ps',
      'GET /api/tags',
      'GET /api/version',
      'POST /api/show',
    ]);
    for (const { headers } of upstream.asked) {
      for (const name of ['origin', 'referer', 'cookie', 'authorization']) {
        expect(headers).not.to.have.property(name);
      }
    }
    expect(upstream.asked.at(-1)?.body).to.equal('{"model":"llama3:latest"}');
  });

  it('leaves a model out while its show cannot be read, and has it with the next poll', async () => {
    upstream.models = ['a:latest', 'b:latest'];
    upstream.answers.set('/api/show', (response, body) =>
      answerJson(body.includes('a:latest') ? { error: 'no' } : {}, body.includes('a:') ? 500 : 200)(
        response,
        body,
      ),
    );
    const first = await poll();
    expect(first.snapshot.models.map(({ entry }) => entry.name)).to.deep.equal(['b:latest']);
    expect(first.snapshot.running.map(({ name }) => name)).to.deep.equal(['b:latest']);
    expect(first.missing).to.equal(1);

    upstream.answers.clear();
    const second = await poll({ known: first.shows });
    expect(second.snapshot.models).to.have.length(2);
    expect(second.missing).to.equal(0);
  });

  it('never has more than four shows open', async () => {
    upstream.models = Array.from({ length: 40 }, (_, index) => `m${index}:latest`);
    const { snapshot } = await poll();
    expect(snapshot.models).to.have.length(40);
    expect(upstream.most).to.be.at.most(4);
  });

  it('drops cloud models and names with line breaks, and takes a thousand', async () => {
    const many = Array.from({ length: 1_200 }, (_, index) => ({ name: `m${index}`, digest: 'd' }));
    const bad = [
      { name: 'x:cloud', digest: 'd' },
      { name: 'x:20b-Cloud', digest: 'd' },
      { name: 'innocent', digest: 'd', remote_host: 'https://ollama.com' },
      { name: 'innocent2', digest: 'd', remote_model: 'x' },
      { name: 'line\nbreak', digest: 'd' },
      { name: 'break\n', digest: 'd' },
    ];
    upstream.answers.set('/api/tags', answerJson({ models: [...bad, ...many] }));
    const { snapshot } = await poll();
    expect(snapshot.models).to.have.length(1_000);
    expect(snapshot.models[0]?.entry.name).to.equal('m0');
    expect(upstream.count('/api/show')).to.equal(1);

    upstream.answers.set('/api/tags', answerJson({ models: bad }));
    const allowed = await poll({ allowCloudModels: true });
    expect(allowed.snapshot.models.map(({ entry }) => entry.name)).to.have.length(4);
  });

  for (const path of ['/api/tags', '/api/ps', '/api/version']) {
    it(`fails as a whole if ${path} answers what it should not`, async () => {
      const faults: [unknown, number, string][] = [
        [{ error: 'secret' }, 500, 'upstream_status'],
        [{}, 204, 'upstream_status'],
        ['not json', 200, 'reply_malformed'],
        ['', 200, 'reply_malformed'],
        [[], 200, 'reply_malformed'],
      ];
      for (const [value, status, code] of faults) {
        upstream.answers.set(path, answerJson(value, status));
        expect(await faultOf(poll()), JSON.stringify(value)).to.equal(code);
      }
    });
  }

  it('follows no redirect, because an upstream decides nothing', async () => {
    upstream.answers.set('/api/tags', (response) => {
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    expect(await faultOf(poll())).to.equal('upstream_unreachable');
    expect(upstream.count('/elsewhere')).to.equal(0);
  });

  it('takes invalid UTF-8 for no reply', async () => {
    upstream.answers.set('/api/version', (response) => {
      response.end(Buffer.from([0x7b, 0xff, 0x7d]));
    });
    expect(await faultOf(poll())).to.equal('reply_malformed');
  });

  it('reads 4 MiB of a reply and no more, then hangs up', async () => {
    const chunk = Buffer.alloc(64 * 1_024, ' ');
    let closed = false;
    upstream.answers.set('/api/tags', (response) => {
      response.once('close', () => (closed = true));
      const pour = (): void => {
        while (!response.destroyed && response.write(chunk)) continue;
      };
      response.on('drain', pour);
      pour();
    });
    expect(await faultOf(poll())).to.equal('reply_too_large');
    await until(() => closed, { withinMs: 2_000, what: 'the endless reply to be cut' });
  });

  it('waits its time and no longer, for a head and for a body', async () => {
    upstream.answers.set('/api/tags', () => undefined);
    expect(await faultOf(poll({ timeoutMs: 50 }))).to.equal('upstream_timeout');
    upstream.answers.set('/api/tags', (response) => {
      response.write('{');
    });
    expect(await faultOf(poll({ timeoutMs: 50 }))).to.equal('upstream_timeout');
  });

  it('says that nobody is there', async () => {
    await upstream.stop();
    expect(await faultOf(poll())).to.equal('upstream_unreachable');
    await upstream.start();
  });

  it('ends the other questions when one fails, and all when told to stop', async () => {
    upstream.answers.set('/api/tags', () => undefined);
    upstream.answers.set('/api/version', answerJson({}, 500));
    expect(await faultOf(poll({ timeoutMs: 60_000 }))).to.equal('upstream_status');
    await until(() => upstream.open === 0, { withinMs: 2_000, what: 'no question to be open' });

    upstream.answers.delete('/api/version');
    const stopping = new AbortController();
    const polling = faultOf(poll({ timeoutMs: 60_000, signal: stopping.signal }));
    await until(() => upstream.open > 0, { withinMs: 2_000, what: 'a question to be open' });
    stopping.abort();
    expect(await polling).to.equal('stopped');
  });

  it('finds nothing when told to stop among the shows, so that no half list is kept', async () => {
    const stopping = new AbortController();
    upstream.answers.set('/api/show', () => {
      stopping.abort();
    });
    expect(await faultOf(poll({ signal: stopping.signal }))).to.equal('stopped');
  });
});

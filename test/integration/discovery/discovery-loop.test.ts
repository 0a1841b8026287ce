import { expect } from 'chai';
import { setImmediate as turn } from 'node:timers/promises';
import { openCatalogue } from '../../../lib/discovery/catalogue.ts';
import type { Catalogue } from '../../../lib/discovery/catalogue.ts';
import { startDiscovery } from '../../../lib/discovery/discovery-loop.ts';
import type {
  Discovery,
  DiscoveryParts,
  SnapshotCopies,
} from '../../../lib/discovery/discovery-loop.ts';
import { openModelsCopy } from '../../../lib/ledger/models-copy.ts';
import { openShared } from '../../../lib/shared/shared-reader.ts';
import type { SharedReader } from '../../../lib/shared/shared-reader.ts';
import { createShared } from '../../../lib/shared/shared-writer.ts';
import type { SharedWriter } from '../../../lib/shared/shared-writer.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import { startTestRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';
import { ListingServer, answerJson } from './listing-server.ts';

const LLAMA = 'registry.ollama.ai/library/llama3:latest';

describe('discovery/discovery-loop', function () {
  this.timeout(20_000);
  let redis: Redis;
  let directory: TemporaryDirectory;
  let shared: SharedWriter;
  let reader: SharedReader;
  let servers: ListingServer[];
  let discoveries: Discovery[];
  let announced: number;
  let lines: string[];

  before(async () => {
    redis = await connectRedis((await startTestRedis()).url);
    directory = await makeTemporaryDirectory('discovery');
  });
  after(async () => {
    redis.disconnect();
    await directory.remove();
  });
  beforeEach(() => {
    shared = createShared(directory.path);
    reader = openShared(shared.path);
    [servers, discoveries, lines, announced] = [[], [], [], 0];
  });
  afterEach(async () => {
    await Promise.all(discoveries.map((discovery) => discovery.stop()));
    await Promise.all(servers.map((server) => server.stop()));
    await reader.close();
    await shared.close();
  });

  async function serve(...models: readonly string[]): Promise<ListingServer> {
    const server = await new ListingServer().start();
    server.models = models;
    servers.push(server);
    return server;
  }

  function start(upstreams: readonly string[], more: Partial<DiscoveryParts> = {}): Discovery {
    const write = (_fields: object, message: string) => lines.push(message);
    const logger = { debug: write, info: write, warn: write, error: write, fatal: write };
    const discovery = startDiscovery({
      upstreams,
      intervalMs: 3_600_000,
      timeoutMs: 2_000,
      maxAgeMs: 120_000,
      allowCloudModels: false,
      clock: systemClock,
      logger: { ...logger, child: () => ({ ...logger, child: () => expect.fail() }) },
      copies: openModelsCopy(redis),
      publish: (head, bodies, shows) => {
        for (const [upstream, byKey] of shows) {
          for (const [key, show] of byKey) shared.putShow(upstream, key, show);
        }
        shared.putModels(head, bodies);
      },
      announce: () => announced++,
      ...more,
    });
    discoveries.push(discovery);
    return discovery;
  }

  function open(maxAgeMs = 120_000): Catalogue {
    const catalogue = openCatalogue({ reader, clock: systemClock, maxAgeMs });
    const current = () => {
      reader.refresh();
      return catalogue.current();
    };
    return { current, isFresh: () => current() !== undefined };
  }

  it('brings a changed set to the workers with the poll that found it', async () => {
    const server = await serve('llama3:latest');
    const discovery = start([server.url]);
    const catalogue = open();
    await until(() => catalogue.isFresh(), { withinMs: 5_000, what: 'the first snapshot' });
    expect(catalogue.current()?.find(LLAMA)?.model.name).to.equal('llama3:latest');
    expect(catalogue.current()?.readShow(LLAMA)).to.have.property('capabilities');
    expect(announced).to.equal(1);

    server.models = ['other:latest'];
    await discovery.pollNow();
    expect(catalogue.current()?.find(LLAMA)).to.equal(undefined);
    expect(catalogue.current()?.readShow(LLAMA)).to.equal(undefined);
    expect(catalogue.current()?.models.map(({ name }) => name)).to.deep.equal(['other:latest']);
    expect(announced).to.equal(2);
  });

  it('raises the version for a change alone, and the age with every poll', async () => {
    const server = await serve('a:latest');
    const discovery = start([server.url]);
    await discovery.pollNow();
    const before = discovery.state();
    await discovery.pollNow();
    const after = discovery.state();
    expect(after.version).to.equal(before.version);
    expect(after.upstreams[0]?.polledAtMs).to.be.above(before.upstreams[0]?.polledAtMs ?? Infinity);
    server.version = '0.34.0';
    await discovery.pollNow();
    expect(discovery.state().version).to.equal(before.version + 1);
    expect(discovery.state().upstreams[0]).to.include({ ollamaVersion: '0.34.0', models: 1 });
  });

  it('polls every interval by itself, and never twice at once', async () => {
    const server = await serve('a:latest');
    let [open, most] = [0, 0];
    server.answers.set('/api/tags', async (response, body) => {
      most = Math.max(most, ++open);
      for (let turns = 0; turns < 20; turns++) await turn();
      open--;
      return answerJson({ models: [] })(response, body);
    });
    const discovery = start([server.url], { intervalMs: 5 });
    await Promise.all([discovery.pollNow(), discovery.pollNow(), discovery.pollNow()]);
    await until(() => server.count('/api/tags') >= 6, { withinMs: 5_000, what: 'six polls' });
    expect(most).to.equal(1);
  });

  it('keeps the last good snapshot when a poll fails, until it is too old', async () => {
    const server = await serve('llama3:latest');
    const discovery = start([server.url], { maxAgeMs: 400 });
    const catalogue = open(400);
    await discovery.pollNow();
    server.answers.set('/api/tags', answerJson({}, 500));
    await discovery.pollNow();
    expect(discovery.state().upstreams[0]).to.include({ answering: false, models: 1 });
    expect(catalogue.current()?.find(LLAMA)?.upstreams).to.deep.equal([0]);
    await until(() => !catalogue.isFresh(), { withinMs: 5_000, what: 'the snapshot to be old' });

    server.answers.clear();
    await discovery.pollNow();
    expect(catalogue.isFresh()).to.equal(true);
    expect(lines).to.deep.equal([
      'upstream answers',
      'upstream cannot be polled',
      'upstream answers',
    ]);
  });

  it('tries again a second after a failure, whatever the interval', async () => {
    const server = await serve('llama3:latest');
    server.answers.set('/api/ps', answerJson({}, 500));
    const startedMs = systemClock.monotonicMs();
    const discovery = start([server.url]);
    expect(discovery.state().upstreams[0]).to.include({ answering: null, polledAtMs: null });
    await until(() => server.count('/api/ps') > 0, { withinMs: 5_000, what: 'the first poll' });
    server.answers.clear();
    const catalogue = open();
    await until(() => catalogue.isFresh(), { withinMs: 5_000, what: 'the second poll' });
    expect(systemClock.monotonicMs() - startedMs).to.be.above(990);
  });

  it('comes back soon for models whose show failed, and tells of it once', async () => {
    const server = await serve('llama3:latest', 'b:latest');
    server.answers.set('/api/show', answerJson({}, 500));
    const discovery = start([server.url], { intervalMs: 30 });
    await until(() => server.count('/api/show') >= 4, { withinMs: 5_000, what: 'two polls' });
    expect(open().current()?.models).to.deep.equal([]);
    server.answers.clear();
    await until(() => discovery.state().upstreams[0]?.models === 2, {
      withinMs: 5_000,
      what: 'both models to be listed',
    });
    expect(lines.filter((line) => line.startsWith('models left out'))).to.have.length(1);
  });

  it('goes on with the upstreams that answer when one is silent', async () => {
    const [one, two] = [await serve('llama3:latest', 'a:latest'), await serve('llama3:latest')];
    const discovery = start([one.url, two.url], { timeoutMs: 60_000 });
    const catalogue = open();
    await discovery.pollNow();
    expect(catalogue.current()?.find(LLAMA)?.upstreams).to.deep.equal([0, 1]);
    one.answers.set('/api/tags', () => undefined);
    two.models = ['b:latest'];
    void discovery.pollNow();
    await until(() => catalogue.current()?.find(LLAMA)?.upstreams.length === 1, {
      withinMs: 5_000,
      what: 'the second upstream to be polled while the first hangs',
    });
  });

  it('starts with the copy of Redis while it is young enough, and polls at once', async () => {
    const server = await serve('llama3:latest');
    const first = start([server.url]);
    await first.pollNow();
    await first.stop();
    shared.putModels({ version: 0, upstreams: [] }, new Map());

    server.answers.set('/api/tags', answerJson({}, 500));
    const second = start([server.url], { timeoutMs: 1_000 });
    const catalogue = open();
    await until(() => catalogue.isFresh(), { withinMs: 5_000, what: 'the copy to be used' });
    expect(catalogue.current()?.find(LLAMA)?.upstreams).to.deep.equal([0]);
    expect(catalogue.current()?.readShow(LLAMA)).to.have.property('capabilities');
    const polledAtMs = second.state().upstreams[0]?.polledAtMs ?? Infinity;
    expect(polledAtMs).to.be.below(systemClock.monotonicMs());
    await until(() => server.count('/api/tags') > 1, { withinMs: 2_000, what: 'a poll' });
  });

  it('believes no copy that is too old, none that is broken and none after its own poll', async () => {
    const server = await serve('llama3:latest');
    const text = { value: '' };
    const copies: SnapshotCopies = {
      read: () => Promise.resolve(null),
      write: (_url, copy) => {
        text.value = copy;
        return Promise.resolve();
      },
    };
    const first = start([server.url], { copies });
    await first.pollNow();
    await first.stop();
    server.answers.set('/api/tags', answerJson({}, 500));
    for (const copy of [
      { text: text.value, ageMs: 120_001 },
      { text: text.value, ageMs: -1 },
      { text: 'broken', ageMs: 0 },
    ]) {
      const read = () => Promise.resolve(copy);
      const discovery = start([server.url], { copies: { ...copies, read } });
      await discovery.pollNow();
      expect(discovery.state().upstreams[0]).to.include({ polledAtMs: null, models: 0 });
    }

    server.answers.clear();
    server.models = ['new:latest'];
    const late = Promise.withResolvers<{ text: string; ageMs: number }>();
    const discovery = start([server.url], { copies: { ...copies, read: () => late.promise } });
    await discovery.pollNow();
    const { version } = discovery.state();
    late.resolve({ text: text.value, ageMs: 0 });
    await discovery.stop();
    expect(discovery.state().version).to.equal(version);
  });

  it('does without Redis', async () => {
    const server = await serve('llama3:latest');
    const refuse = () => Promise.reject(new Error('away'));
    const discovery = start([server.url], { copies: { read: refuse, write: refuse } });
    await discovery.pollNow();
    expect(open().isFresh()).to.equal(true);
    expect(discovery.state().upstreams[0]?.answering).to.equal(true);
  });

  it('writes no copy that is too large', async () => {
    const server = await serve(...Array.from({ length: 300 }, (_, index) => `m${index}:latest`));
    const facts = Object.fromEntries(Array.from({ length: 15 }, (_, i) => [i, 'x'.repeat(1_000)]));
    server.answers.set('/api/show', answerJson({ model_info: facts }));
    let written = 0;
    const copies: SnapshotCopies = {
      read: () => Promise.resolve(null),
      write: () => {
        written++;
        return Promise.resolve();
      },
    };
    const discovery = start([server.url], { copies, timeoutMs: 10_000 });
    await discovery.pollNow();
    expect(discovery.state().upstreams[0]?.models).to.equal(300);
    expect(written).to.equal(0);
  });

  it('takes a snapshot that could not be published for a failed poll', async () => {
    const server = await serve('llama3:latest');
    const publish = () => {
      throw new Error('no memory');
    };
    const discovery = start([server.url], { publish });
    await discovery.pollNow();
    expect(discovery.state()).to.deep.include({ version: 0 });
    expect(discovery.state().upstreams[0]?.answering).to.equal(false);
  });

  it('ends at once when told to, in the middle of a poll, and polls no more', async () => {
    const server = await serve('llama3:latest');
    server.answers.set('/api/tags', () => undefined);
    const discovery = start([server.url], { timeoutMs: 60_000, intervalMs: 5 });
    const polled = discovery.pollNow();
    await until(() => server.count('/api/tags') === 1, { withinMs: 5_000, what: 'a poll' });
    await discovery.stop();
    await polled;
    await discovery.pollNow();
    expect(server.count('/api/tags')).to.equal(1);
    expect(lines).to.deep.equal([]);
  });
});

import { expect } from 'chai';
import { startPrivateRedis } from '../../../bin/quickstart/private-redis.ts';
import { isRunning } from '../../support/is-running.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import { startOwnRedis, startTestRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';

describe('quickstart/private-redis', function () {
  this.timeout(60_000);
  let directory: TemporaryDirectory;

  beforeEach(async () => {
    directory = await makeTemporaryDirectory('redis');
  });

  afterEach(() => directory.remove());

  it('listens on a socket alone and evicts nothing', async () => {
    const redis = await startPrivateRedis({ directory: directory.path, appendOnly: false });
    expect(redis.url).to.match(/^unix:\/\//);
    const client = await connectRedis(redis.url);
    expect(await client.config('GET', 'port')).to.deep.equal(['port', '0']);
    expect(await client.config('GET', 'maxmemory-policy')).to.include('noeviction');
    expect(await client.config('GET', 'appendonly')).to.include('no');
    client.disconnect();
    await redis.stop();
    expect(isRunning(redis.pid)).to.equal(false);
  });

  it('keeps what was written over a restart, and ends the server that a killed process left', async () => {
    const options = { directory: directory.path, appendOnly: true };
    const left = await startPrivateRedis(options);
    const client = await connectRedis(left.url);
    await client.set('kept', 'yes');
    client.disconnect();

    const next = await startPrivateRedis(options);
    await until(() => !isRunning(left.pid), { withinMs: 5_000, what: 'the old server to be gone' });
    const again = await connectRedis(next.url);
    expect(await again.get('kept')).to.equal('yes');
    again.disconnect();
    await next.stop();
  });

  it('takes a loopback port where a path is too long for a socket', async () => {
    const redis = await startPrivateRedis({
      directory: `${directory.path}/${'x'.repeat(100)}`,
      appendOnly: false,
    });
    expect(redis.url).to.match(/^redis:\/\/127\.0\.0\.1:\d+$/);
    await redis.stop();
  });

  it('comes back at the same port after it was killed', async () => {
    const own = await startOwnRedis({ port: 0 });
    own.signal('SIGKILL');
    await own.restart();
    const client = await connectRedis(own.url);
    client.disconnect();
    await own.remove();
  });

  it("tells the server's own words when it does not start", async () => {
    const error = await startPrivateRedis({
      directory: directory.path,
      appendOnly: false,
      settings: ['--no-such-setting', '1'],
    }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(Error).with.property('message').that.includes('no-such-setting');
  });

  it('is shared by the tests of a process, which empty it', async () => {
    const shared = await startTestRedis();
    expect(await startTestRedis()).to.equal(shared);
    const client = await connectRedis(shared.url);
    await client.set('left', 'behind');
    await shared.flush();
    expect(await client.get('left')).to.equal(null);
    client.disconnect();
  });
});

import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { startPrivatePostgres } from '../../../bin/quickstart/private-postgres.ts';
import { url } from '../../../lib/config/kinds.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { connect } from '../../support/test-postgres.ts';
import { isRunning } from '../../support/is-running.ts';
import { until } from '../../support/until.ts';

const FAST = ['fsync=off'];

describe('quickstart/private-postgres', function () {
  this.timeout(60_000);
  let directory: TemporaryDirectory;

  beforeEach(async () => {
    directory = await makeTemporaryDirectory('pg');
  });

  afterEach(() => directory.remove());

  it('is reached by a socket in a closed folder alone, under an address that settings accept', async () => {
    const postgres = await startPrivatePostgres({ directory: directory.path, settings: FAST });
    const address = postgres.url('postgres');
    expect(url('postgres:', 'postgresql:').schema.safeParse(address).success).to.equal(true);
    expect((await stat(directory.path)).mode & 0o777).to.equal(0o700);

    const client = await connect(address);
    const { rows } = await client.query('show listen_addresses');
    await client.end();
    expect(rows).to.deep.equal([{ listen_addresses: '' }]);

    await postgres.stop();
    expect(isRunning(postgres.pid)).to.equal(false);
  });

  it('finds its data again at the next start, and ends the server that a killed process left', async () => {
    const said: string[] = [];
    const options = { directory: directory.path, say: (line: string) => said.push(line) };
    const left = await startPrivatePostgres(options);
    const client = await connect(left.url('postgres'));
    await client.query('create table kept (id integer)');
    await client.end();

    const next = await startPrivatePostgres(options);
    await until(() => !isRunning(left.pid), { withinMs: 5_000, what: 'the old server to be gone' });
    const again = await connect(next.url('postgres'));
    expect((await again.query('select * from kept')).rows).to.deep.equal([]);
    await again.end();
    await next.stop();
    expect(said.filter((line) => line.includes('making'))).to.have.length(1);
  });

  it('starts over a server that was killed with -9', async () => {
    const killed = await startPrivatePostgres({ directory: directory.path, settings: FAST });
    process.kill(killed.pid, 'SIGKILL');
    await killed.stop();
    const next = await startPrivatePostgres({ directory: directory.path, settings: FAST });
    const client = await connect(next.url('postgres'));
    await client.end();
    await next.stop();
  });

  it('leaves alone a foreign process that has the pid of a server long gone', async () => {
    const first = await startPrivatePostgres({ directory: directory.path, settings: FAST });
    await first.stop();
    await writeFile(join(directory.path, 'data/postmaster.pid'), `${process.pid}\n`);
    const next = await startPrivatePostgres({ directory: directory.path, settings: FAST });
    await next.stop();
  });

  it('has its socket elsewhere where the path is too long for one', async () => {
    const long = await makeTemporaryDirectory('x'.repeat(100));
    const postgres = await startPrivatePostgres({ directory: long.path, settings: FAST });
    const client = await connect(postgres.url('postgres'));
    await client.end();
    await postgres.stop();
    await long.remove();
  });

  it('says which folder stands in the way of the user who runs the server for root', async () => {
    const closed = join(directory.path, 'below');
    const error = await startPrivatePostgres({ directory: closed, settings: FAST }).then(
      (postgres) => postgres.stop(),
      (thrown: unknown) => thrown,
    );
    if (process.getuid?.() !== 0) return;
    expect(error).to.be.instanceOf(Error).with.property('message').that.includes(directory.path);
  });

  it("tells the server's own words when it does not start", async () => {
    const error = await startPrivatePostgres({
      directory: directory.path,
      settings: ['no_such_setting=1'],
    }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(Error).with.property('message').that.includes('no_such_setting');
  });
});

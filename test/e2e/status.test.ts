import { expect } from 'chai';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { launchGateway } from '../support/launch-gateway.ts';
import { readDocument, readFailure, runNzgw } from '../support/run-nzgw.ts';
import type { Run } from '../support/run-nzgw.ts';
import { startStack } from '../support/stack.ts';
import type { Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const CHECKS = ['models', 'postgres', 'redis', 'trust', 'upstream', 'workers'];

describe('e2e: nzgw status', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async () => {
    stack = await startStack({ workers: 1 });
  });
  after(() => stack.stop());

  function runStatus(adminUrl: string, ...args: readonly string[]): Promise<Run> {
    const env = { NZGW_ADMIN_PORT: new URL(adminUrl).port };
    return runNzgw(['status', ...args], { env });
  }

  function namesOf(run: Run): readonly string[] {
    const checks = readDocument(run)['checks'] as readonly { name: string }[];
    return checks.map(({ name }) => name).sort();
  }

  it('a ready gateway is exit 0, each check with its milliseconds', async () => {
    const [table, json] = await Promise.all([
      runStatus(stack.gateway.adminUrl),
      runStatus(stack.gateway.adminUrl, '--json'),
    ]);
    expect(table.code, table.stderr).to.equal(0);
    expect(table.stdout).to.match(/^ready: http:\/\/127\.0\.0\.1:\d+\n\nCHECK +STATUS +MS\n/);
    expect(table.stdout).to.match(/^postgres +pass +\d+\.\d$/m);
    expect([json.code, json.stderr]).to.deep.equal([0, '']);
    expect(readDocument(json)).to.include({ ready: true, url: stack.gateway.adminUrl });
    expect(namesOf(json)).to.deep.equal(CHECKS);
  });

  it('asks a listener on every address on loopback', async () => {
    const env = {
      NZGW_ADMIN_HOST: '0.0.0.0',
      NZGW_ADMIN_PORT: new URL(stack.gateway.adminUrl).port,
    };
    const run = await runNzgw(['status', '--wait=20', '--json'], { env });
    expect(run.code, run.stderr).to.equal(0);
  });

  it('where nobody listens it is exit 6, at once or when the wait is over', async () => {
    const runs = await Promise.all([
      runStatus('http://127.0.0.1:1', '--json'),
      runStatus('http://127.0.0.1:1', '--json', '--wait=1'),
    ]);
    for (const run of runs) {
      expect([run.code, run.stdout]).to.deep.equal([6, '']);
      expect(readFailure(run)).to.include({ code: 'gateway_unreachable', exit_code: 6 });
    }
  });

  it('a port that only the gateway knows is a fault of the settings: exit 2', async () => {
    const run = await runNzgw(['status', '--json'], { env: { NZGW_ADMIN_PORT: '0' } });
    expect(run.code).to.equal(2);
    expect(readFailure(run)['code']).to.equal('admin_port_unknown');
  });

  it('what is no gateway is told apart from one that is not ready', async () => {
    const server = createServer((_request, response) => response.end('<html>hello</html>'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const run = await runStatus(`http://127.0.0.1:${port}`, '--json');
    server.close();
    expect([run.code, readFailure(run)['code']]).to.deep.equal([6, 'gateway_unexpected']);
  });

  it('waits for a gateway that waits for its Redis, and without a wait that is exit 8', async () => {
    await stack.redis.stop();
    const gateway = await launchGateway({
      databaseUrl: stack.databaseUrl,
      redisUrl: stack.redis.url,
      ollamaUrl: stack.ollama.url,
      waitUntilReady: false,
    });
    await until(() => gateway.adminUrl !== '', { withinMs: 10_000, what: 'its admin listener' });
    const early = await runStatus(gateway.adminUrl, '--json');
    const waiting = runStatus(gateway.adminUrl, '--wait', '--json');
    await stack.redis.restart();
    const waited = await waiting;
    await gateway.stop();
    expect([early.code, early.stderr]).to.deep.equal([8, '']);
    expect(readDocument(early)).to.deep.include({ ready: false, checks: [] });
    expect(waited.code, waited.stderr).to.equal(0);
    expect(namesOf(waited)).to.deep.equal(CHECKS);
  });
});

import { expect } from 'chai';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../lib/root.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

interface Run {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  stdout(): string;
  stderr(): string;
}

interface Answer {
  readonly url: string;
  readonly key: string;
  readonly model: string;
  readonly demo: boolean;
}

const PROGRAM = fileURLToPath(new URL('dist/bin/nzgw.js', ROOT));
const { PATH, NODE_V8_COVERAGE } = process.env;
const environment = { PATH, ...(NODE_V8_COVERAGE !== undefined && { NODE_V8_COVERAGE }) };

function run(directory: string, ...options: readonly string[]): Run {
  const child = spawn(
    process.execPath,
    [PROGRAM, 'quickstart', '--data-dir', directory, ...options],
    { env: environment, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (texts[name] += text));
  }
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, exited, stdout: () => texts.stdout, stderr: () => texts.stderr };
}

/** Command lines of running processes that name the folder. */
function listProcesses(directory: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((line) => line.includes(directory));
}

describe('e2e: quickstart', function () {
  this.timeout(90_000);
  let directory: TemporaryDirectory;

  before(async () => {
    directory = await makeTemporaryDirectory('quick');
    // Postgres runs as another user where we are root, and must be able to pass.
    chmodSync(directory.path, 0o711);
  });
  after(() => directory.remove());

  it('proves itself, stops, and leaves nothing running', async () => {
    const first = run(directory.path, '--once');
    expect(await first.exited, first.stderr()).to.equal(0);
    for (const proof of ['chat    200', 'pull    403', 'revoked 401', 'audit   ok']) {
      expect(first.stderr()).to.contain(proof);
    }
    expect(first.stdout()).to.contain('curl http://127.0.0.1:').and.contain('demo-echo');
    expect(listProcesses(directory.path)).to.deep.equal([]);
  });

  it('keeps its key from run to run, serves with it, and stops when asked', async () => {
    const serving = run(directory.path);
    await until(() => serving.stderr().includes('Ctrl-C'), { withinMs: 60_000, what: 'serving' });
    const [, url = ''] = /at {2}(\S+)/.exec(serving.stdout()) ?? [];
    const [, key = ''] = /key is +(\S+)/.exec(serving.stdout()) ?? [];
    const listed = await fetch(`${url}/api/tags`, { headers: { authorization: `Bearer ${key}` } });
    expect(listed.status).to.equal(200);

    const another = run(directory.path, '--once');
    expect(await another.exited).to.equal(5);
    expect(another.stderr()).to.contain('already running');

    serving.child.kill('SIGINT');
    expect(await serving.exited, serving.stderr()).to.equal(0);
    expect(listProcesses(directory.path)).to.deep.equal([]);

    const again = run(directory.path, '--once', '--json');
    expect(await again.exited, again.stderr()).to.equal(0);
    const answer = JSON.parse(again.stdout()) as Answer;
    expect(answer).to.include({ key, model: 'demo-echo:latest', demo: true });
  });

  it('ends what a killed run left behind, and takes over', async () => {
    const killed = run(directory.path);
    await until(() => killed.stderr().includes('Ctrl-C'), { withinMs: 60_000, what: 'serving' });
    killed.child.kill('SIGKILL');
    await killed.exited;
    const next = run(directory.path, '--once');
    expect(await next.exited, next.stderr()).to.equal(0);
    expect(listProcesses(directory.path)).to.deep.equal([]);
  });

  it('fails, and says why, when its gateway ends', async () => {
    const serving = run(directory.path);
    await until(() => serving.stderr().includes('Ctrl-C'), { withinMs: 60_000, what: 'serving' });
    const gateway = Number(readFileSync(`${directory.path}/gateway.pid`, 'utf8'));
    process.kill(gateway, 'SIGTERM');
    expect(await serving.exited).to.equal(1);
    expect(serving.stderr()).to.contain('the gateway ended');
    expect(listProcesses(directory.path)).to.deep.equal([]);
  });

  it('ends in order when stopped at any step of its start', async () => {
    for (const step of ['redis ', 'demo models', 'gateway ', 'chat ']) {
      const stopped = run(directory.path, '--once');
      await until(() => stopped.stderr().includes(step), { withinMs: 60_000, what: step });
      stopped.child.kill('SIGTERM');
      expect(await stopped.exited, step).to.equal(1);
      expect(stopped.stderr()).to.contain('stopped before it was done');
      expect(listProcesses(directory.path), step).to.deep.equal([]);
    }
  });

  it('refuses a port that is taken before it starts anything', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const refused = run(directory.path, '--once', '--port', String(port));
    expect(await refused.exited).to.equal(5);
    server.close();
    expect(refused.stderr()).to.contain(`port ${port} is taken`).and.not.contain('✓');
  });

  it('says so when the Ollama that was named does not answer', async () => {
    const refused = run(directory.path, '--once', '--ollama', 'http://127.0.0.1:9');
    expect(await refused.exited).to.equal(6);
    expect(refused.stderr()).to.contain('no Ollama with a model that chats answers');
    expect(listProcesses(directory.path)).to.deep.equal([]);
  });
});

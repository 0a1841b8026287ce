import { expect } from 'chai';
import { PassThrough } from 'node:stream';
import { runProgram } from '../../bin/program/run-program.ts';
import { readDocument, readFailure, runNzgw } from '../support/run-nzgw.ts';
import type { Run } from '../support/run-nzgw.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const KEYS = [
  ...['at', 'url', 'interval_ms', 'version', 'ready', 'checks', 'workers', 'worker_restarts'],
  ...['requests_per_s', 'prompt_tokens_per_s', 'completion_tokens_per_s', 'in_flight'],
  ...['duration', 'first_token', 'trust_valid', 'revocation_lag_s', 'audit_waiting'],
  ...['audit_lag_s', 'refusals', 'tenants', 'models'],
];
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';

/** A terminal: what is written on it, what is typed, and whether it takes keys raw. */
class Screen {
  readonly stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    isRaw: false,
    setRawMode: (raw: boolean): void => {
      this.stdin.isRaw = raw;
    },
  });
  readonly stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 60, rows: 12 });
  readonly stderr = new PassThrough();
  written = '';

  constructor() {
    this.stdout.on('data', (chunk: Buffer) => (this.written += chunk.toString()));
  }

  runTop(environment: Readonly<Record<string, string>>): Promise<number> {
    const { stdin, stdout, stderr } = this;
    return runProgram({ argv: ['top'], environment, stdin, stdout, stderr });
  }

  get frames(): readonly string[] {
    return this.written.split('\x1b[H').slice(1);
  }
}

describe('e2e: nzgw top', function () {
  this.timeout(60_000);
  let stack: Stack;
  let caller: MadeKey;

  before(async () => {
    stack = await startStack({ workers: 1 });
    caller = await stack.makeCaller();
  });
  after(() => stack.stop());

  function environment(): Record<string, string> {
    return { NZGW_ADMIN_PORT: new URL(stack.gateway.adminUrl).port };
  }

  function runTop(...args: readonly string[]): Promise<Run> {
    return runNzgw(['top', ...args], { env: environment() });
  }

  async function chat(): Promise<number> {
    const response = await fetch(`${stack.gateway.url}/api/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${caller.key}` },
      body: JSON.stringify({ model: 'llama3', messages: [{ role: 'user', content: 'hi' }] }),
    });
    await response.text();
    return response.status;
  }

  it('one document has the rates of what runs, and every key', async () => {
    const running = new AbortController();
    const load = (async () => {
      while (!running.signal.aborted) expect(await chat()).to.equal(200);
    })();
    const run = await runTop('--json');
    running.abort();
    await load;
    expect([run.code, run.stderr]).to.deep.equal([0, '']);
    const figures = readDocument(run);
    expect(Object.keys(figures)).to.deep.equal(KEYS);
    expect(figures).to.include({ ready: true, url: stack.gateway.adminUrl });
    expect(figures['requests_per_s']).to.be.a('number').that.is.above(0);
    const tenants = figures['tenants'] as readonly { name: string; requests_per_s: number }[];
    expect(tenants[0]).to.include({ name: 'tenant-1' });
    expect(tenants[0]?.requests_per_s).to.be.above(0);
    const models = figures['models'] as readonly { name: string }[];
    expect(models[0]).to.include({ name: 'llama3:latest' });
    expect(figures['audit_waiting']).to.be.a('number');
  });

  it('one frame is plain text', async () => {
    const run = await runTop('--once');
    expect(run.code, run.stderr).to.equal(0);
    expect(run.stdout).to.match(/^nzgw top {2}http:\/\/127\.0\.0\.1:\d+ {2}gateway \S+ {2}READY/);
    expect(run.stdout).to.match(/^TENANT +REQ\/S +TOK\/S +REQUESTS\ntenant-1 /m);
    expect(run.stdout).to.not.include('\x1b');
  });

  it('without a terminal it must be told what to print: exit 2', async () => {
    const run = await runTop();
    expect([run.code, run.stdout]).to.deep.equal([2, '']);
    expect(run.stderr).to.include('hint: nzgw top --once');
  });

  it('without a gateway it is exit 6, and no terminal is touched', async () => {
    const env = { NZGW_ADMIN_PORT: '1' };
    const run = await runNzgw(['top', '--json'], { env });
    expect([run.code, run.stdout]).to.deep.equal([6, '']);
    expect(readFailure(run)['code']).to.equal('gateway_unreachable');
    const screen = new Screen();
    expect(await screen.runTop(env)).to.equal(6);
    expect(screen.written).to.equal('');
  });

  for (const [name, key] of [
    ['q', 'q'],
    ['Ctrl-C', '\x03'],
  ] as const) {
    it(`draws again and again, and ${name} leaves the terminal as it was`, async () => {
      const screen = new Screen();
      const listeners = process.listenerCount('SIGINT');
      const ended = screen.runTop(environment());
      await until(() => screen.frames.length >= 3, { withinMs: 10_000, what: 'three frames' });
      expect(screen.stdin.isRaw).to.equal(true);
      screen.stdin.write('x');
      screen.stdin.write(key);
      expect(await ended).to.equal(0);
      expect(screen.stdin.isRaw).to.equal(false);
      expect(screen.stdin.isPaused()).to.equal(true);
      expect(process.listenerCount('SIGINT')).to.equal(listeners);
      expect(screen.written.startsWith(ENTER)).to.equal(true);
      expect(screen.written.endsWith(LEAVE)).to.equal(true);
      const [frame = ''] = screen.frames;
      const lines = frame
        .split('\r\n')
        .map((line) => line.replaceAll('\x1b[K', '').replaceAll('\x1b[J', ''));
      expect(lines[0]).to.match(/^nzgw top {2}http/);
      expect(lines.length).to.be.at.most(12);
      expect(lines.filter((line) => line.length > 60)).to.deep.equal([]);
    });
  }

  it('says so while the gateway is away, and shows what it saw last', async () => {
    const screen = new Screen();
    const ended = screen.runTop(environment());
    await until(() => screen.frames.length >= 2, { withinMs: 10_000, what: 'two frames' });
    await stack.gateway.stop();
    const away = await until(
      () => screen.frames.find((frame) => /^\d+ s OLD: no gateway/.test(frame)),
      {
        withinMs: 10_000,
        what: 'a frame that says so',
      },
    );
    expect(away).to.include('nzgw top');
    screen.stdin.write('q');
    expect(await ended).to.equal(0);
  });
});

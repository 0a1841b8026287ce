import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../lib/root.ts';
import { noteSecret, noteSink } from './secret-grep.ts';
import { listAddresses } from './connect-redis.ts';
import { EventLog } from './event-log.ts';
import type { LoggedEvent } from './event-log.ts';
import { until } from './until.ts';

export interface LaunchOptions {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly ollamaUrl: string;
  readonly workers?: number;
  /** Further settings. */
  readonly env?: Readonly<Record<string, string>>;
  /** All settings stand in this file, none in the environment. */
  readonly envFile?: string;
  /** False: do not wait for /readyz, only for the start of the process. */
  readonly waitUntilReady?: boolean;
}

export interface Gateway {
  readonly url: string;
  readonly adminUrl: string;
  readonly pid: number;
  /** All that the processes said so far. */
  output(): string;
  /** The log's lines with this event. */
  events(event: string): readonly LoggedEvent[];
  /** Ends it as a service manager would; resolves to its exit code (null: a signal). */
  stop(): Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<number | null>;
  isRunning(): boolean;
}

export const PEPPER = 'a pepper for tests, thirty-two bytes and more';

const DIST = fileURLToPath(new URL('dist/bin/nzgw.js', ROOT));
const running = new Set<ChildProcess>();

// A test that fails before its own clean-up must not leave processes behind.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts the built product, primary and workers, on free ports, and waits until it is ready. */
export async function launchGateway(options: LaunchOptions): Promise<Gateway> {
  noteSecrets(options);
  const { envFile } = options;
  const fromFile = envFile === undefined ? [] : ['--env-file', envFile];
  const child = spawn(process.execPath, [DIST, 'serve', ...fromFile], {
    env: makeEnvironment(options),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  const collect = (chunk: Buffer): void => {
    output += chunk.toString('utf8');
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      running.delete(child);
      noteSink(`output of gateway ${child.pid ?? 0}`, output);
      resolve(code);
    });
  });

  const log = new EventLog();
  const events = (event: string): readonly LoggedEvent[] => log.read(output, event);
  const addresses = new Map<string, string>();
  const addressOf = (event: string): string => {
    // Looked for once: after some thousand requests that takes longer than to ask one more.
    const known = addresses.get(event);
    if (known !== undefined) return known;
    const line = events(event)[0];
    if (!line) return '';
    const address = `http://127.0.0.1:${String(line['port'])}`;
    addresses.set(event, address);
    return address;
  };

  const gateway: Gateway = {
    get url() {
      return addressOf('listening');
    },
    get adminUrl() {
      return addressOf('admin_listening');
    },
    pid: child.pid ?? 0,
    output: () => output,
    events,
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
    kill: (signal) => {
      child.kill(signal);
    },
    exited,
    isRunning: () => running.has(child),
  };
  if (options.waitUntilReady !== false) await waitUntilReady(gateway, child, options.workers ?? 2);
  return gateway;
}

/** What the gateway is given and must keep to itself: the URL as it is, and the password in it. */
function noteSecrets({ databaseUrl, redisUrl }: LaunchOptions): void {
  noteSecret(PEPPER);
  for (const url of [databaseUrl, ...listAddresses(redisUrl)]) {
    const { password } = new URL(url);
    if (password === '') continue;
    noteSecret(url);
    noteSecret(decodeURIComponent(password));
  }
}

async function waitUntilReady(
  gateway: Gateway,
  child: ChildProcess,
  workers: number,
): Promise<void> {
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`the gateway ended: ${gateway.output()}`);
      if (gateway.events('worker_listening').length < workers) return false;
      const answer = await fetch(`${gateway.url}/readyz`).catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.status === 200;
    },
    { withinMs: 15_000, what: 'the gateway to be ready' },
  ).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw new Error(`${String(error)}\n${gateway.output()}`);
  });
}

function makeEnvironment(options: LaunchOptions): NodeJS.ProcessEnv {
  const own = {
    PATH: process.env['PATH'],
    ...(process.env['NODE_V8_COVERAGE'] && { NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'] }),
  };
  if (options.envFile !== undefined) return own;
  return {
    ...own,
    DATABASE_URL: options.databaseUrl,
    REDIS_URL: options.redisUrl,
    OLLAMA_URL: options.ollamaUrl,
    NZGW_KEY_PEPPER: PEPPER,
    NZGW_PORT: '0',
    NZGW_ADMIN_PORT: '0',
    NZGW_WORKERS: String(options.workers ?? 2),
    NZGW_ALLOW_VOLATILE_REDIS: 'true',
    NZGW_DRAIN_SECONDS: '2',
    ...options.env,
  };
}

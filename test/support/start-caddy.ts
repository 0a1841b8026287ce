import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findFreePort } from '../../bin/quickstart/free-port.ts';
import { ROOT } from '../../lib/root.ts';
import { noteSink } from './secret-grep.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';
import { until } from './until.ts';

const run = promisify(execFile);
/** The path of what is tested. */
export const CADDYFILE = fileURLToPath(new URL('deploy/Caddyfile', ROOT));
const FIRST_PORT = 21_000;
const TRIES = 3;
const running = new Set<ChildProcess>();

/** The name in deploy/Caddyfile. */
export const DOMAIN = 'api.neuronetz.ai';

export interface CaddyOptions {
  readonly program: string;
  /** host:port of what it stands before. */
  readonly upstream: string;
  /** What stands in the file, and what shall stand there instead: a shorter time. */
  readonly edits?: readonly (readonly [from: string, to: string])[];
}

/** Caddy with deploy/Caddyfile and an authority of its own, on free ports of 127.0.0.1. */
export interface Caddy {
  readonly port: number;
  readonly httpPort: number;
  /** The certificate of its authority. */
  readonly ca: string;
  /** All that it said so far: its log, a JSON object a line. */
  output(): string;
  stop(): Promise<void>;
}

// A test that fails before its own clean-up must not leave processes behind.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export async function startCaddy(options: CaddyOptions): Promise<Caddy> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(options);
    } catch (error) {
      // Another test process may have taken the port that was free a moment ago.
      if (attempt === TRIES || !String(error).includes('address already in use')) throw error;
    }
  }
}

async function startOnce({ program, upstream, edits = [] }: CaddyOptions): Promise<Caddy> {
  const directory = await makeTemporaryDirectory('caddy');
  const file = join(directory.path, 'Caddyfile');
  await writeFile(file, edit(await readFile(CADDYFILE, 'utf8'), edits));
  const port = await findFreePort(FIRST_PORT + (process.pid % 5_000));
  const httpPort = await findFreePort(port + 1);
  const child = spawn(program, ['run', '--adapter', 'caddyfile', '--config', file], {
    env: {
      HOME: directory.path,
      XDG_DATA_HOME: directory.path,
      XDG_CONFIG_HOME: directory.path,
      NZGW_UPSTREAM: upstream,
      NZGW_CADDY_TLS: 'internal',
      NZGW_CADDY_HTTPS_PORT: String(port),
      NZGW_CADDY_HTTP_PORT: String(httpPort),
      ...(await chooseRelease(program)),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  child.once('close', () => {
    running.delete(child);
    noteSink('output of Caddy', output);
  });
  const stop = async (): Promise<void> => {
    if (running.has(child)) {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    }
    await directory.remove();
  };

  const authority = join(directory.path, 'caddy/pki/authorities/local/root.crt');
  const isReady = async (): Promise<string | undefined> => {
    if (!running.has(child)) throw new Error(`Caddy ended: ${output}`);
    if (!output.includes('certificate obtained successfully')) return undefined;
    return readFile(authority, 'utf8').catch(() => undefined);
  };
  try {
    const ca = await until(isReady, { withinMs: 20_000, what: 'Caddy to have a certificate' });
    return { port, httpPort, ca, output: () => output, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @throws Error if something to be replaced is not in the text. */
function edit(text: string, edits: NonNullable<CaddyOptions['edits']>): string {
  let edited = text;
  for (const [from, to] of edits) {
    if (!edited.includes(from)) throw new Error(`there is no "${from}" in deploy/Caddyfile`);
    edited = edited.replace(from, to);
  }
  return edited;
}

/** What the file says of Debian's Caddy. */
export async function chooseRelease(program: string): Promise<Readonly<Record<string, string>>> {
  const { stdout } = await run(program, ['version']);
  const isOld = /^v?2\.[0-6]\./.test(stdout);
  return isOld ? { NZGW_CADDY_RELEASE: '2.6' } : {};
}

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ROOT } from '../../../lib/root.ts';

const execute = promisify(execFile);

/** Kept between runs. */
const CACHE = fileURLToPath(new URL('.nzgw/deploy/', ROOT));
/** What a fresh Debian 12 has, and to look from outside: iproute2. */
const PACKAGES = ['systemd-sysv', 'dbus', 'iproute2'];
/** Programs of this machine, and Debian's packages of them. */
const TOOLS = { 'systemd-nspawn': 'systemd-container', mmdebstrap: 'mmdebstrap' };
const INSTALL_MS = 600_000;

/** A Debian of our own, in a folder. */
export interface Debian {
  readonly path: string;
  remove(): Promise<void>;
}

export interface Ran {
  readonly code: number;
  readonly text: string;
}

/** Whoever runs this wants it to end: what runs is killed, and what was made is removed. */
const asked = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    asked.abort();
  });
}

/** Runs a program and shows nothing; @throws Error with what it said, unless it ends with 0. */
async function mustRun(program: string, ...args: readonly string[]): Promise<void> {
  const maxBuffer = 64 * 1_024 * 1_024;
  await execute(program, args, { timeout: INSTALL_MS, maxBuffer, signal: asked.signal });
}

export async function installTools(): Promise<void> {
  const missing = [];
  for (const [program, name] of Object.entries(TOOLS)) {
    const search = execute('/bin/sh', ['-c', `command -v ${program}`]);
    if (!(await search.then(() => true).catch(() => false))) missing.push(name);
  }
  if (missing.length === 0) return;
  await mustRun('apt-get', 'update', '-qq');
  await mustRun('apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...missing);
}

/** A fresh copy of Debian 12 as it is after its installation. */
export async function makeDebian(): Promise<Debian> {
  const base = join(CACHE, 'debian-12');
  await mkdir(join(CACHE, 'apt/partial'), { recursive: true });
  if (!existsSync(base)) {
    const draft = await mkdtemp(`${base}-`);
    await mustRun(
      'mmdebstrap',
      '--variant=minbase',
      `--include=${PACKAGES.join(',')}`,
      'bookworm',
      draft,
    );
    await rename(draft, base);
  }
  const path = await mkdtemp(join(CACHE, 'run-'));
  await mustRun('cp', '--archive', '--reflink=auto', `${base}/.`, path);
  // What was killed in it may write for a moment still.
  const patient = { recursive: true, force: true, maxRetries: 20, retryDelay: 100 };
  return { path, remove: () => rm(path, patient) };
}

/** Where a user without rights has the clone: this tree as it is, with what is not committed yet. */
export const CLONE = '/home/builder/neuronetz-gateway';

/** Makes that user and that clone. */
export async function addClone(debian: Debian): Promise<void> {
  const copy =
    'mkdir -p "$2" && git -C "$1" ls-files -z -co --exclude-standard | ' +
    'tar -C "$1" --null -T - -c | tar -C "$2" -x';
  const target = join(debian.path, CLONE);
  await mustRun('/bin/bash', '-euo', 'pipefail', '-c', copy, 'copy', fileURLToPath(ROOT), target);
  const user = `useradd --shell /bin/bash builder && chown -R builder: /home/builder`;
  const { code, text } = await runScript(debian, user);
  if (code !== 0) throw new Error(text);
}

/**
 * What both kinds of start share. The machine's certificates stand in for Debian's where it was told of
 * them by NODE_EXTRA_CA_CERTS, as behind a proxy that opens TLS.
 */
function toArguments(path: string, binds: readonly string[]): readonly string[] {
  const extra = process.env['NODE_EXTRA_CA_CERTS'];
  const certificates =
    extra === undefined
      ? []
      : [
          `--bind-ro=${extra}:/mnt/ca.crt`,
          '--setenv=NODE_EXTRA_CA_CERTS=/mnt/ca.crt',
          '--setenv=npm_config_cafile=/mnt/ca.crt',
        ];
  const packages = `--bind=${join(CACHE, 'apt')}:/var/cache/apt/archives`;
  return [
    ...['--quiet', `--directory=${path}`, '--register=no', '--keep-unit', packages],
    ...certificates,
    ...binds,
  ];
}

/** Runs a script of bash in it without booting it, with this machine's network. */
export function runScript(
  debian: Debian,
  script: string,
  binds: readonly string[] = [],
): Promise<Ran> {
  const shell = ['/bin/bash', '-euxo', 'pipefail', '-c', script];
  return start([...toArguments(debian.path, binds), '--pipe', ...shell], INSTALL_MS);
}

/** Boots it, with a network of its own, and resolves when it is off again. */
export function boot(debian: Debian, binds: readonly string[], withinMs: number): Promise<Ran> {
  const apart = ['--boot', '--private-network', '--console=pipe'];
  return start([...toArguments(debian.path, binds), ...apart], withinMs);
}

function start(args: readonly string[], withinMs: number): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn('systemd-nspawn', args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: withinMs,
      signal: asked.signal,
      killSignal: 'SIGKILL',
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text = (text + chunk).slice(-1_000_000);
      });
    }
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code: code ?? -1, text });
    });
  });
}

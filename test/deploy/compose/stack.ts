import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../../lib/root.ts';
import { readConsoleCommands } from '../../support/documents.ts';
import { demand, run } from './command.ts';
import type { Outcome } from './command.ts';
import type { Engine } from './engine.ts';
import { ensure } from './record.ts';

const PROJECT = 'nzgwtest';
const WITHIN_MS = 600_000;
const SHOWN = 6_000;
const HOME = fileURLToPath(ROOT);

/** A clone of this repository in which the document is followed. */
export interface Stack {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs the commands of a section, in one shell. Resolves to all that was said. */
  follow(heading: string): Promise<string>;
  /** `docker compose …`; resolves to stdout. @throws Error where it does not end with 0. */
  compose(...args: readonly string[]): Promise<string>;
  /** The same, whatever comes of it. */
  tryCompose(...args: readonly string[]): Promise<Outcome>;
  /** A program in a running container; resolves to stdout. */
  inside(service: string, ...command: readonly string[]): Promise<string>;
  /** What podman knows of a service's container, by a template of Go. */
  inspect(service: string, template: string): Promise<string>;
  /** The names of all containers' services, whether they run or not. */
  listServices(): Promise<readonly string[]>;
  /** Removes containers, networks and volumes. */
  down(): Promise<void>;
}

export async function openStack(engine: Engine, folder: string): Promise<Stack> {
  const env = {
    ...engine.env,
    COMPOSE_PROJECT_NAME: PROJECT,
    COMPOSE_FILE: `docker-compose.yml:${folder}.engine.yml`,
    // No authority of the internet gives a certificate here, and Debian's Caddy is an old one.
    NZGW_CADDY_TLS: 'internal',
    NZGW_CADDY_RELEASE: '2.6',
    CURL_HOME: folder,
  };
  const options = { cwd: folder, env, withinMs: WITHIN_MS };
  await clone(folder);
  await writeFile(`${folder}.engine.yml`, ENGINE);
  const compose = (...args: readonly string[]): Promise<string> =>
    demand('docker-compose', args, options);
  const stack: Stack = {
    folder,
    env,
    compose,
    follow: (heading) => follow(heading, { ...options, env: { ...env, PATH: engine.path } }),
    tryCompose: (...args) => run('docker-compose', args, options),
    inside: (service, ...command) => compose('exec', '-T', service, ...command),
    inspect: async (service, template) => {
      const name = `${PROJECT}_${service}_1`;
      return (await demand('podman', ['inspect', name, '--format', template], options)).trim();
    },
    listServices: async () => {
      const names = await demand('podman', ['ps', '--all', '--format', '{{.Names}}'], options);
      return names
        .split('\n')
        .filter((name) => name !== '')
        .map((name) => name.split('_')[1] ?? name);
    },
    down: async () => {
      // First all containers, those of `run` too: one that is being started again would be overlooked.
      await demand('podman', ['rm', '--all', '--force', '--time', '5'], options);
      await compose('down', '--volumes', '--remove-orphans');
    },
  };
  // What a run that was killed has left.
  await stack.down();
  return stack;
}

/**
 * docker-compose 1.29 wants to make a network with a fixed subnet anew at every call, since podman tells
 * of an option that Docker does not tell of: said here, the two agree.
 */
const ENGINE = `networks:
  front:
    internal: true
    ipam:
      options:
        driver: host-local
      config:
        - subnet: \${NZGW_FRONT_PREFIX:-172.29.80}.0/28
`;

/** What git would give a reader: the files it tracks, and those that are to be. */
async function clone(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const names = (await demand('git', list, { cwd: HOME })).split('\0');
  for (const name of names.filter((path) => path !== '' && path !== 'node_modules')) {
    await mkdir(`${folder}/${dirname(name)}`, { recursive: true });
    await cp(`${HOME}/${name}`, `${folder}/${name}`);
  }
}

async function follow(
  heading: string,
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly withinMs: number },
): Promise<string> {
  const page = await readFile(new URL('docs/DEPLOYMENT.md', ROOT), 'utf8');
  const commands = readConsoleCommands(page, heading).filter(({ notRun }) => notRun === undefined);
  ensure(commands.length > 0, `${heading} has no command`);
  const script = commands.map((command) => command.text).join('\n');
  const { code, text } = await run('/bin/bash', ['-xeuo', 'pipefail', '-c', script], options);
  ensure(code === 0, `${heading} ended with ${code}\n${text.slice(-SHOWN)}`);
  return text;
}

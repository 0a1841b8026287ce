import { access, copyFile, cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../../lib/root.ts';
import { readComposeFile, toText } from '../../support/compose-file.ts';
import { demand, run } from './command.ts';

const BASE = 'docker.io/library/node:24-bookworm-slim';
const MIRROR = process.env['DEBIAN_MIRROR'] ?? 'http://deb.debian.org/debian';
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const IMAGES = fileURLToPath(new URL('images', import.meta.url));
const WITHIN_MS = 600_000;

/** What stands in for what; the tags are those that docker-compose.yml names. */
const STAND_INS = ['postgres', 'redis', 'caddy', 'ollama'] as const;

/**
 * The image that the Dockerfile builds on, made of Debian's packages and of the Node that runs here: no
 * registry of images can be reached. It trusts the authorities of this machine, for npm.
 */
export async function makeBaseImage(folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  if (await isThere(BASE, env)) return 'kept from an earlier run';
  const debian = await bootstrap(folder);
  const buildah = async (...args: readonly string[]): Promise<string> =>
    (await demand('buildah', args, { env, withinMs: WITHIN_MS })).trim();
  // What a run that was killed has left.
  await buildah('rm', '--all');
  const container = await buildah('from', 'scratch');
  const root = await buildah('mount', container);
  await demand('cp', ['-a', `${debian}/.`, root], { withinMs: WITHIN_MS });
  await copyFile(process.execPath, `${root}/usr/local/bin/node`);
  const npm = await demand('/bin/sh', ['-c', 'readlink -f "$(command -v npm)"']);
  await mkdir(`${root}/usr/local/lib/node_modules`);
  await cp(dirname(dirname(npm)), `${root}/usr/local/lib/node_modules/npm`, { recursive: true });
  for (const name of ['npm', 'npx']) {
    const program = `../lib/node_modules/npm/bin/${name}-cli.js`;
    await demand('ln', ['-s', program, `${root}/usr/local/bin/${name}`]);
  }
  await copyFile(CERTIFICATES, `${root}${CERTIFICATES}`);
  await buildah('umount', container);
  await buildah(
    'config',
    '--env',
    `NODE_EXTRA_CA_CERTS=${CERTIFICATES}`,
    '--cmd',
    'node',
    container,
  );
  await buildah('commit', '--quiet', '--rm', container, BASE);
  return 'made';
}

/** A Debian of the least packages, kept in the folder. */
async function bootstrap(folder: string): Promise<string> {
  const path = `${folder}/debian`;
  const isMade = await access(path).then(
    () => true,
    () => false,
  );
  if (isMade) return path;
  const draft = `${path}.draft`;
  await rm(draft, { recursive: true, force: true });
  const args = ['--variant=minbase', '--include=ca-certificates', 'bookworm', draft, MIRROR];
  await demand('debootstrap', args, { withinMs: WITHIN_MS });
  await rename(draft, path);
  return path;
}

/** Images of the names that docker-compose.yml wants, as far as Debian and the demo models go. */
export async function makeStandIns(folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { services } = await readComposeFile('docker-compose.yml');
  const made: string[] = [];
  for (const name of STAND_INS) {
    const image = toText(services[name]?.['image']).replace(/^\$\{\w+:-(.*)\}$/, '$1');
    if (image === '') throw new Error(`docker-compose.yml has no image of ${name}`);
    const context = await makeContext(folder, name);
    const tag = `docker.io/${image.includes('/') ? '' : 'library/'}${image}`;
    const how = ['--format', 'docker', '--isolation', 'chroot', '--network', 'host', '--layers'];
    const what = ['--tag', tag, '--file', `${context}/Containerfile`, context];
    await demand('buildah', ['bud', ...how, ...what], { env, withinMs: WITHIN_MS });
    made.push(image);
  }
  return made.join(' ');
}

/** The files of a stand-in; for Ollama's, the sources of the demo model server too. */
async function makeContext(folder: string, name: string): Promise<string> {
  const context = `${folder}/contexts/${name}`;
  await rm(context, { recursive: true, force: true });
  await cp(`${IMAGES}/${name}`, context, { recursive: true });
  if (name !== 'ollama') return context;
  await mkdir(`${context}/demo/node_modules`, { recursive: true });
  for (const path of ['bin', 'lib', 'node_modules/zod']) {
    const source = fileURLToPath(new URL(path, ROOT));
    await cp(source, `${context}/demo/${path}`, { recursive: true });
  }
  await writeFile(`${context}/demo/package.json`, '{"type":"module"}\n');
  return context;
}

async function isThere(image: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const { code } = await run('podman', ['image', 'exists', image], { env });
  return code === 0;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { until } from '../../support/until.ts';
import { demand } from './command.ts';
import { watchHealth } from './health.ts';

const WRAPPER = fileURLToPath(new URL('runc.mjs', import.meta.url));
const START_MS = 20_000;

/** podman with images, containers and networks of its own, which answers as Docker does. */
export interface Engine {
  /** For podman, buildah and docker-compose. */
  readonly env: NodeJS.ProcessEnv;
  /** The path on which `docker compose` is too. */
  readonly path: string;
  stop(): Promise<void>;
}

/**
 * Images are kept in the folder from one run to the next. podman runs no health checks without systemd:
 * they are made here, all the time.
 */
export async function startEngine(folder: string): Promise<Engine> {
  const socket = `${folder}/podman.sock`;
  const env = await configure(folder, socket);
  const service = spawn('podman', ['system', 'service', '--time=0', `unix://${socket}`], {
    env,
    stdio: 'ignore',
  });
  const ended = once(service, 'exit');
  const health = watchHealth(env);
  const answers = (): Promise<boolean> =>
    access(socket).then(
      () => true,
      () => false,
    );
  await until(answers, { withinMs: START_MS, what: 'podman to answer as Docker' });
  return {
    env,
    path: `${folder}/bin:${process.env['PATH'] ?? ''}`,
    stop: async () => {
      await health.stop();
      service.kill('SIGTERM');
      await ended;
    },
  };
}

async function configure(folder: string, socket: string): Promise<NodeJS.ProcessEnv> {
  await mkdir(`${folder}/bin`, { recursive: true });
  await rm(socket, { force: true });
  const runc = (await demand('/bin/sh', ['-c', 'command -v runc'])).trim();
  const write = (name: string, lines: readonly string[], mode = 0o644): Promise<void> =>
    writeFile(`${folder}/${name}`, `${lines.join('\n')}\n`, { mode });
  await write('bin/runc', ['#!/bin/sh', `exec ${process.execPath} ${WRAPPER} ${runc} "$@"`], 0o755);
  // The document says `docker compose`; this machine has the older program of another name, which for
  // its part calls `docker` where it finds one.
  const docker = ['#!/bin/sh', 'PATH=${PATH#*:}', 'shift', 'exec docker-compose "$@"'];
  await write('bin/docker', docker, 0o755);
  await write('containers.conf', [
    '[engine]',
    'runtime = "runc"',
    'cgroup_manager = "cgroupfs"',
    'events_logger = "file"',
    `tmp_dir = "${folder}/tmp"`,
    '[engine.runtimes]',
    `runc = ["${folder}/bin/runc"]`,
    '[network]',
    'network_backend = "netavark"',
    `network_config_dir = "${folder}/networks"`,
  ]);
  await write('storage.conf', [
    '[storage]',
    'driver = "overlay"',
    `graphroot = "${folder}/images"`,
    `runroot = "${folder}/run"`,
  ]);
  return {
    ...process.env,
    CONTAINERS_CONF: `${folder}/containers.conf`,
    CONTAINERS_STORAGE_CONF: `${folder}/storage.conf`,
    BUILDAH_ISOLATION: 'chroot',
    DOCKER_HOST: `unix://${socket}`,
    // A build of two minutes sends nothing for a while.
    COMPOSE_HTTP_TIMEOUT: '600',
  };
}

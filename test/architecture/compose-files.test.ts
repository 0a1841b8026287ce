import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { readVersion } from '../../lib/config/read-version.ts';
import { ROOT } from '../../lib/root.ts';
import { listNames, readComposeFile, toBlock, toText } from '../support/compose-file.ts';
import type { ComposeFile } from '../support/compose-file.ts';
import type { PlainYaml } from '../support/plain-yaml.ts';

const PRODUCT = 'docker-compose.yml';
const FILES = [PRODUCT, 'docker-compose.dev.yml'] as const;
/** The primary kills what has not ended so long after its grace; then shards are brought to Postgres. */
const AFTER_DRAIN_SECONDS = 15;

function say(file: ComposeFile, service: string, key: string): PlainYaml | undefined {
  return file.services[service]?.[key];
}

function toConditions(file: ComposeFile, service: string): object {
  const depends = toBlock(say(file, service, 'depends_on'), service);
  return Object.fromEntries(
    Object.entries(depends).map(([name, block]) => [name, toBlock(block, name)['condition']]),
  );
}

function toSettings(file: ComposeFile, service: string): Readonly<Record<string, PlainYaml>> {
  return toBlock(say(file, service, 'environment'), service);
}

/** What compose makes of it where no variable is set. */
function toDefault(value: PlainYaml | undefined): string {
  return toText(value).replace(/\$\{\w+:-([^}]*)\}/g, '$1');
}

function toMebibytes(value: PlainYaml | undefined): number {
  const [, number = '', unit = ''] = /^(\d+)(m|mb|g)$/.exec(toDefault(value)) ?? [];
  return Number(number) * (unit === 'g' ? 1_024 : 1);
}

describe('architecture: the compose files', () => {
  for (const name of FILES) {
    it(`start the gateway of ${name} only where the schema stands and Redis answers`, async () => {
      const file = await readComposeFile(name);
      expect(toConditions(file, 'gateway')).to.include({
        migrate: 'service_completed_successfully',
        redis: 'service_healthy',
      });
      expect(toConditions(file, 'migrate')).to.deep.equal({ postgres: 'service_healthy' });
      expect(say(file, 'migrate', 'restart')).to.equal('no');
    });

    it(`run in ${name} the image of this version, which one service builds`, async () => {
      const file = await readComposeFile(name);
      const ours = Object.keys(file.services).filter((service) =>
        toText(say(file, service, 'image')).startsWith('neuronetz-gateway'),
      );
      expect(ours).to.include.members(['gateway', 'migrate']);
      for (const service of ours) {
        expect(say(file, service, 'image')).to.equal(`neuronetz-gateway:${await readVersion()}`);
        expect(say(file, service, 'init'), service).to.equal('true');
      }
      expect(ours.filter((service) => say(file, service, 'build'))).to.deep.equal(['gateway']);
    });

    it(`let no key of Redis in ${name} be evicted or live in memory alone`, async () => {
      const command = listNames(say(await readComposeFile(name), 'redis', 'command')).join(' ');
      expect(command).to.include('--appendonly yes');
      expect(command).to.include('--maxmemory-policy noeviction');
      // Else it refuses every other machine: its default user needs no password, here to ping alone.
      expect(command).to.include('--protected-mode no');
    });
  }

  it('give the gateway time to drain, and shared memory for a hundred thousand keys', async () => {
    for (const name of FILES) {
      const file = await readComposeFile(name);
      const drain = Number(toSettings(file, 'gateway')['NZGW_DRAIN_SECONDS'] ?? 30);
      const grace = parseInt(toText(say(file, 'gateway', 'stop_grace_period')), 10);
      expect(grace, name).to.be.at.least(drain + AFTER_DRAIN_SECONDS);
      expect(toMebibytes(say(file, 'gateway', 'shm_size')), name).to.be.at.least(256);
    }
    const file = await readComposeFile(PRODUCT);
    expect(toMebibytes(say(file, 'gateway', 'shm_size'))).to.be.at.least(512);
  });

  it('leave Redis room to write its log anew', async () => {
    const file = await readComposeFile(PRODUCT);
    const command = listNames(say(file, 'redis', 'command'));
    const data = toMebibytes(command[command.indexOf('--maxmemory') + 1]);
    expect(data).to.be.above(0);
    expect(toMebibytes(say(file, 'redis', 'mem_limit'))).to.be.at.least(2 * data);
  });

  it('let the gateway believe no address but the one that Caddy has, and nobody else can get', async () => {
    const file = await readComposeFile(PRODUCT);
    const [caddy, gateway] = ['caddy', 'gateway'].map((service) => {
      const front = toBlock(say(file, service, 'networks'), service)['front'];
      return toText(toBlock(front, `${service}: front`)['ipv4_address']);
    });
    const settings = toSettings(file, 'gateway');
    expect(settings['NZGW_TRUSTED_PROXIES']).to.equal(caddy);
    expect(toDefault(caddy)).to.equal('172.29.80.2');
    // An address that is given out might be Caddy's.
    expect(toDefault(gateway)).to.equal('172.29.80.3');
    expect(settings).to.not.have.any.keys('NZGW_HOST', 'NZGW_ADMIN_HOST');
    expect(toSettings(file, 'caddy')['NZGW_UPSTREAM']).to.equal('gateway:8080');
  });

  it('give Caddy only settings that its file reads', async () => {
    const caddyfile = await readFile(new URL('deploy/Caddyfile', ROOT), 'utf8');
    const names = Object.keys(toSettings(await readComposeFile(PRODUCT), 'caddy'));
    expect(names).to.include('NZGW_UPSTREAM');
    for (const name of names) expect(caddyfile).to.include(`{$${name}`);
  });

  it('have all of the secrets made, and none that nobody reads', async () => {
    const file = await readComposeFile(PRODUCT);
    const script = await readFile(new URL('deploy/compose/make-secrets.sh', ROOT), 'utf8');
    const roles = /^for role in (.*); do$/m.exec(script)?.[1]?.split(' ') ?? [];
    const made = [...script.matchAll(/^ *write \S+ "?([\w${}]+)"? /gm)]
      .map(([, name = '']) => name)
      .flatMap((name) =>
        name.includes('${role}') ? roles.map((role) => name.replace('${role}', role)) : [name],
      );
    expect(made.sort()).to.deep.equal(Object.keys(file.secrets).sort());
    const read = Object.values(file.services).flatMap(({ secrets }) => listNames(secrets));
    expect(new Set(read)).to.deep.equal(new Set(made));
  });

  it('start neither the shell of the operator nor the way out for models unless asked', async () => {
    const file = await readComposeFile(PRODUCT);
    const asked = Object.entries(file.services).filter(([, { profiles }]) => profiles);
    expect(asked.map(([name, { profiles }]) => [name, profiles])).to.deep.equal([
      ['nzgw', ['admin']],
      ['pull', ['pull']],
    ]);
    expect(say(file, 'pull', 'image')).to.equal(say(file, 'ollama', 'image'));
    const [models = ''] = listNames(say(file, 'ollama', 'volumes'));
    expect(models).to.match(/^models:/);
    expect(listNames(say(file, 'pull', 'volumes'))).to.include(models);
  });
});

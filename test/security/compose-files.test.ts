import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { ROOT } from '../../lib/root.ts';
import {
  listNames,
  readComposeFile,
  readComposeFiles,
  toBlock,
  toText,
} from '../support/compose-file.ts';
import type { ComposeFile } from '../support/compose-file.ts';

const PRODUCT = 'docker-compose.yml';
const DEVELOPMENT = 'docker-compose.dev.yml';
/** It adds to the services of another file, and is nothing by itself. */
const OVERRIDE = 'docker-compose.gpu.yml';
/** The names of settings and of images' variables that hold, or may hold, a secret. */
const SECRET = /PASS|SECRET|PEPPER|TOKEN|_KEY|DATABASE_URL|REDIS_URL/;

function networksOf(file: ComposeFile, service: string): readonly string[] {
  return listNames(file.services[service]?.['networks']);
}

/** Every service of a file with what it says under one name. */
function gather(file: ComposeFile, key: string): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(file.services).map(([name, service]) => [name, service[key]]),
  );
}

function sameFor(file: ComposeFile, value: unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.keys(file.services).map((name) => [name, value]));
}

describe('security: the compose files', () => {
  it('are these three: a new one has to be held to the same rules', async () => {
    const names = (await readComposeFiles()).map(({ name }) => name);
    expect(names).to.deep.equal([DEVELOPMENT, OVERRIDE, PRODUCT]);
  });

  it('add to Ollama a graphics card, and nothing else', async () => {
    const { services, networks } = await readComposeFile(OVERRIDE);
    expect(Object.keys(services)).to.deep.equal(['ollama']);
    expect(Object.keys(services['ollama'] ?? {})).to.deep.equal(['deploy']);
    expect(networks).to.deep.equal({});
  });

  it('never publish Ollama, which asks nobody for a key, nor share the network of the host', async () => {
    for (const { name, services } of await readComposeFiles()) {
      for (const [service, block] of Object.entries(services)) {
        const place = `${name}: ${service}`;
        for (const key of ['network_mode', 'extends', 'privileged', 'pid', 'ipc', 'userns_mode']) {
          expect(block, place).to.not.have.property(key);
        }
        const isOllama = /ollama|pull|demo/.test(`${service} ${toText(block['image'])}`);
        const isModelServer = isOllama || listNames(block['networks']).includes('models');
        if (isModelServer && service !== 'gateway') {
          expect(block, place).to.not.have.any.keys('ports', 'expose', 'external_links');
        }
      }
    }
  });

  it('publish Caddy alone, and for developers only on the loopback', async () => {
    const { services } = await readComposeFile(PRODUCT);
    const publishing = Object.keys(services).filter((name) => services[name]?.['ports']);
    expect(publishing).to.deep.equal(['caddy']);
    expect(listNames(services['caddy']?.['ports'])).to.deep.equal(['80:80', '443:443']);
    const development = await readComposeFile(DEVELOPMENT);
    const ports = Object.values(development.services).flatMap(({ ports }) => listNames(ports));
    expect(ports).to.have.length(3);
    for (const port of ports) expect(port).to.match(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it('keep the stores and Ollama in internal networks that only the gateway has both of', async () => {
    const file = await readComposeFile(PRODUCT);
    const open = Object.keys(file.networks).filter(
      (name) => file.networks[name]?.['internal'] !== 'true',
    );
    expect(open).to.deep.equal(['edge', 'egress']);
    const members = (network: string): readonly string[] =>
      Object.keys(file.services).filter((name) => networksOf(file, name).includes(network));
    expect(members('edge')).to.deep.equal(['caddy']);
    expect(members('front')).to.deep.equal(['caddy', 'gateway']);
    expect(members('models')).to.deep.equal(['gateway', 'ollama']);
    expect(members('stores')).to.deep.equal(['migrate', 'gateway', 'nzgw', 'postgres', 'redis']);
    expect(members('egress')).to.deep.equal(['pull']);
    for (const name of Object.keys(file.services)) {
      expect(networksOf(file, name), name).to.not.be.empty;
    }
  });

  it('give no service a writable root, a capability, a way to gain one, or no bound', async () => {
    for (const name of [PRODUCT, DEVELOPMENT]) {
      const file = await readComposeFile(name);
      expect(gather(file, 'read_only'), name).to.deep.equal(sameFor(file, 'true'));
      expect(gather(file, 'cap_drop'), name).to.deep.equal(sameFor(file, ['ALL']));
      expect(gather(file, 'security_opt'), name).to.deep.equal(
        sameFor(file, ['no-new-privileges:true']),
      );
      for (const [service, block] of Object.entries(file.services)) {
        const place = `${name}: ${service}`;
        expect(block['pids_limit'], place).to.match(/^\d+$/);
        expect(block['mem_limit'], place).to.match(/^(\d+[mg]|\$\{\w+:-\d+[mg]\})$/);
        expect(block, place).to.not.have.any.keys(
          'devices',
          'group_add',
          'sysctls',
          'cgroup_parent',
        );
        const added = service === 'caddy' ? ['NET_BIND_SERVICE'] : undefined;
        expect(block['cap_add'], place).to.deep.equal(added);
        // Ours has its user in the image; root of another is root without capabilities.
        const user = /^(postgres|redis)$/.test(service) ? '999:999' : undefined;
        expect(block['user'], place).to.equal(user);
      }
    }
  });

  it('for developers are a project of their own, which stops nothing of the product', async () => {
    const { scripts } = JSON.parse(await readFile(new URL('package.json', ROOT), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    const calls = Object.values(scripts).flatMap((script) =>
      script.split('&&').filter((call) => call.includes('docker compose')),
    );
    expect(calls).to.have.length(3);
    for (const call of calls) {
      expect(call.trim()).to.match(/^docker compose -p nzgw-dev -f docker-compose\.dev\.yml /);
    }
  });

  it('bound the logs of every service that goes on', async () => {
    const file = await readComposeFile(PRODUCT);
    for (const [name, block] of Object.entries(file.services)) {
      const { driver, options } = toBlock(block['logging'], `${name}: logging`);
      expect(driver, name).to.equal('json-file');
      expect(options, name).to.have.all.keys('max-size', 'max-file');
    }
  });

  it('take every secret from a file, and give it to nobody who does not need it', async () => {
    const file = await readComposeFile(PRODUCT);
    for (const [name, secret] of Object.entries(file.secrets)) {
      expect(secret, name).to.deep.equal({ file: `./secrets/${name}` });
    }
    for (const [name, block] of Object.entries(file.services)) {
      const given = listNames(block['secrets']);
      const environment = toBlock(block['environment'] ?? '', `${name}: environment`);
      for (const [setting, value] of Object.entries(environment)) {
        if (SECRET.test(setting)) {
          expect(setting, name).to.match(/_FILE$/);
          expect(given.map((secret) => `/run/secrets/${secret}`)).to.include(value);
        }
      }
      expect(block, name).to.not.have.property('env_file');
    }
    expect(listNames(file.services['gateway']?.['secrets'])).to.deep.equal([
      'gateway_database_url',
      'redis_url',
      'key_pepper',
    ]);
    expect(listNames(file.services['migrate']?.['secrets'])).to.deep.equal(['owner_database_url']);
  });

  it('mount nothing of the host but single files, read-only', async () => {
    for (const { name, services } of await readComposeFiles()) {
      const volumes = Object.values(services).flatMap(({ volumes }) => listNames(volumes));
      for (const volume of volumes) {
        if (/^[./~$]/.test(volume)) expect(volume, name).to.match(/^\.\/deploy\/.*[^/]:.*:ro$/);
        expect(volume, name).to.not.match(/\.sock/);
      }
    }
  });
});

import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { readVersion } from '../../lib/config/read-version.ts';
import { ROOT } from '../../lib/root.ts';
import { readDockerfile, valuesOf } from '../support/dockerfile.ts';
import type { Instruction } from '../support/dockerfile.ts';

async function readStages(): Promise<{
  readonly all: readonly (readonly Instruction[])[];
  readonly last: readonly Instruction[];
}> {
  const all = await readDockerfile();
  return { all, last: all.at(-1) ?? [] };
}

describe('security: the image', () => {
  it('stands on a base that whoever builds it may name and pin', async () => {
    const { all } = await readStages();
    expect(valuesOf(all[0] ?? [], 'ARG')).to.deep.equal(['NODE_IMAGE=node:24-bookworm-slim']);
    const bases = all.slice(1).map((stage) => valuesOf(stage, 'FROM')[0]);
    expect(bases).to.deep.equal(['${NODE_IMAGE} AS build', '${NODE_IMAGE}']);
  });

  it('runs as a user who is a number and not root', async () => {
    const { last } = await readStages();
    const [user, ...others] = valuesOf(last, 'USER');
    expect(others).to.be.empty;
    expect(user).to.match(/^[1-9]\d{3,}:[1-9]\d{3,}$/);
    const names = last.map(({ name }) => name);
    const after = names.slice(names.indexOf('USER'));
    expect(after.filter((name) => ['RUN', 'COPY', 'ADD'].includes(name))).to.be.empty;
  });

  it('installs nothing where it runs, and leaves nothing there that could', async () => {
    const { last } = await readStages();
    const runs = valuesOf(last, 'RUN').join(' && ');
    expect(runs).to.not.match(
      /\b(apt|apt-get|dpkg|npm (i|ci|install|run)|npx |curl|wget|gcc|make)\b/,
    );
    expect(runs).to.include('rm -rf /usr/local/lib/node_modules ');
    for (const program of ['npm', 'npx', 'corepack', 'yarn']) {
      expect(runs).to.include(` /usr/local/bin/${program}`);
    }
    expect(valuesOf(last, 'COPY')).to.deep.equal(['--from=build /app /app']);
    expect(valuesOf(last, 'ADD')).to.be.empty;
  });

  it('takes no secret into a layer', async () => {
    const { all } = await readStages();
    for (const stage of all) {
      for (const name of ['ARG', 'ENV']) {
        expect(valuesOf(stage, name).join(' ')).to.not.match(/PASS|SECRET|TOKEN|PEPPER|_URL/);
      }
    }
    const ignored = (await readFile(new URL('.dockerignore', ROOT), 'utf8'))
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(ignored[0]).to.equal('*');
    const taken = ignored.slice(1).map((line) => line.replace(/^!/, ''));
    expect(ignored.slice(1).every((line) => line.startsWith('!'))).to.equal(true);
    const secret = /^(\.env|\.git|secrets.*|test|node_modules|release|\*.*)$/;
    expect(taken.filter((path) => secret.test(path))).to.be.empty;
  });

  it('is started, looked at and ended without a shell', async () => {
    const { last } = await readStages();
    const [health = ''] = valuesOf(last, 'HEALTHCHECK');
    expect(health).to.match(/ CMD \["node", "\/app\/dist\/bin\/nzgw\.js", "status"\]$/);
    const [entry] = valuesOf(last, 'ENTRYPOINT');
    expect(entry).to.equal('["node", "/app/dist/bin/nzgw.js"]');
    expect(valuesOf(last, 'CMD')).to.deep.equal(['["serve"]']);
    expect(valuesOf(last, 'STOPSIGNAL')).to.deep.equal(['SIGTERM']);
    expect(valuesOf(last, 'SHELL')).to.be.empty;
  });

  it('keeps the admin listener on the loopback of the container', async () => {
    const { last } = await readStages();
    const environment = valuesOf(last, 'ENV').join(' ');
    expect(environment).to.include('NZGW_HOST=0.0.0.0');
    expect(environment).to.not.include('NZGW_ADMIN_HOST');
    expect(valuesOf(last, 'EXPOSE')).to.deep.equal(['8080 9464']);
  });

  it('says which version it is', async () => {
    const { last } = await readStages();
    expect(valuesOf(last, 'ARG')).to.include(`NZGW_VERSION=${await readVersion()}`);
    const labels = valuesOf(last, 'LABEL').join(' ');
    for (const label of ['title', 'description', 'licenses', 'version', 'revision', 'created']) {
      expect(labels).to.include(`org.opencontainers.image.${label}=`);
    }
  });
});

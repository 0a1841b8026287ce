import { expect } from 'chai';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeKey } from '../../../lib/auth/key-format.ts';
import { ROOT } from '../../../lib/root.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';

const { findSecrets, listFiles } = (await import(
  new URL('bin/bootstrap/secrets.mjs', ROOT).href
)) as {
  findSecrets: (path: string, text: string) => string[];
  listFiles: (root: string) => Promise<string[]>;
};

const letters = (count: number): string => 'aB3dE6gH9k'.repeat(10).slice(0, count);
const pem = { type: 'pkcs8', format: 'pem' } as const;

/** Written in two parts, so that this file does not hold what it plants. */
const PLANTED: readonly (readonly [kind: string, secret: string])[] = [
  ['private key', generateKeyPairSync('ed25519').privateKey.export(pem).toString()],
  [
    'private key',
    JSON.stringify(generateKeyPairSync('ed25519').privateKey.export(pem)).slice(1, -1),
  ],
  ['API key of ours', makeKey().key],
  ['AWS key id', 'AKIA' + 'ABCDEFGH23456789'],
  ['GitHub token', `ghp_${letters(36)}`],
  ['GitHub token', `github_pat_${letters(40)}`],
  ['GitLab token', `glpat-${letters(20)}`],
  ['npm token', `npm_${letters(36)}`],
  ['key of a model provider', `sk-proj-${letters(48)}`],
  ['key of a model provider', `sk-ant-${letters(60)}`],
  ['Hugging Face token', `hf_${letters(34)}`],
  ['Google key', `AIza${letters(35)}`],
  ['Slack token', `xoxb-${letters(24)}`],
  ['Stripe key', `sk_live_${letters(24)}`],
  ['JSON web token', `eyJ${letters(20)}.eyJ${letters(20)}.${letters(43)}`],
  ['password in a URL', `postgres://gateway:${letters(12)}@db.example:5432/gateway`],
];

describe('bootstrap/secrets', () => {
  for (const [kind, secret] of PLANTED) {
    it(`a planted ${kind} (${secret.slice(0, 8).trim()}…) is found, by line, and not shown`, () => {
      const found = findSecrets('deploy/example.env', `A=1\nB="${secret}"\nC=2\n`);
      expect(found).to.have.length(1);
      expect(found[0]).to.match(/^deploy\/example\.env:2: /);
      expect(found[0]).to.include(kind);
      expect(found[0]).to.not.include(secret.slice(8, 30));
    });
  }

  it('a tree that is no checkout is searched all the same, without what installs and runs make', async () => {
    const tree = await makeTemporaryDirectory('tree');
    try {
      for (const path of ['a.txt', 'lib/deep/b.ts', 'node_modules/x/c.js', '.nzgw/env']) {
        mkdirSync(dirname(join(tree.path, path)), { recursive: true });
        writeFileSync(join(tree.path, path), 'text');
      }
      const files = await listFiles(tree.path);
      expect(files).to.include.members(['a.txt', 'lib/deep/b.ts']);
      expect(files.filter((path) => /node_modules|nzgw/.test(path))).to.deep.equal([]);
    } finally {
      await tree.remove();
    }
  });

  it('a fixture is allowed in its own file alone', () => {
    const made = 'postgres://gw:secret-' + 'password@host/db';
    expect(findSecrets('test/unit/bin/program/errors.test.ts', made)).to.deep.equal([]);
    expect(findSecrets('lib/store/postgres.ts', made)).to.have.length(1);
  });

  for (const harmless of [
    'NZGW_KEY_PEPPER_FILE=/run/secrets/pepper',
    'postgres://gateway@127.0.0.1:5432/gateway',
    'postgres://gateway:${POSTGRES_PASSWORD}@postgres:5432/gateway',
    'redis://:<password>@127.0.0.1:6379',
    'nz_… up to the second _ is public',
    '-----BEGIN CERTIFICATE-----\nMIIBhTCCASugAwIBAgIQIRi6zePL6mKjOipn',
  ]) {
    it(`${JSON.stringify(harmless.slice(0, 50))} is none`, () => {
      expect(findSecrets('x', harmless)).to.deep.equal([]);
    });
  }
});

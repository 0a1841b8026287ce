import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { ROOT } from '../../../lib/root.ts';

interface Lock {
  readonly packages: Readonly<Record<string, object>>;
}

const { findLicenceFaults } = (await import(new URL('bin/bootstrap/licences.mjs', ROOT).href)) as {
  findLicenceFaults: (lock: Lock) => string[];
};

function judge(license?: unknown): readonly string[] {
  const entry = license === undefined ? { version: '1.2.3' } : { version: '1.2.3', license };
  return findLicenceFaults({
    packages: {
      '': { license: 'GPL-3.0-only' },
      'node_modules/good': { version: '1.0.0', license: 'MIT' },
      'node_modules/good/node_modules/@x/judged': entry,
    },
  });
}

describe('bootstrap/licences', () => {
  for (const license of [
    'GPL-2.0-only',
    'GPL-3.0-or-later',
    'LGPL-3.0-only',
    'AGPL-3.0',
    'SSPL-1.0',
    'BUSL-1.1',
    'UNLICENSED',
    'SEE LICENSE IN LICENSE.md',
    'MIT AND GPL-3.0',
    '(MIT OR Apache-2.0) AND GPL-3.0',
    'MIT OR Apache-2.0 AND GPL-3.0',
    '',
    7,
    { type: 'MIT' },
  ]) {
    it(`${JSON.stringify(license)} is refused, and the package is named`, () => {
      expect(judge(license)).to.deep.equal([`@x/judged 1.2.3: ${JSON.stringify(license)}`]);
    });
  }

  it('a package that names no licence is refused', () => {
    expect(judge()).to.deep.equal(['@x/judged 1.2.3: "no licence"']);
  });

  for (const license of ['MIT', 'Apache-2.0', '(MIT AND Zlib)', 'GPL-2.0 OR MIT', '0BSD']) {
    it(`${license} passes`, () => {
      expect(judge(license)).to.deep.equal([]);
    });
  }

  it('a lock without packages proves nothing', () => {
    expect(findLicenceFaults({ packages: {} })).to.have.length(1);
  });

  it('what the product is made of passes', () => {
    const text = readFileSync(new URL('package-lock.json', ROOT), 'utf8');
    expect(findLicenceFaults(JSON.parse(text) as Lock)).to.deep.equal([]);
  });
});

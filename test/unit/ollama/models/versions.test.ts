import { expect } from 'chai';
import { compareVersions, readVersion } from '../../../../lib/ollama/models/versions.ts';

describe('ollama/models/versions', () => {
  it('reads a version and nothing that could be anything else', () => {
    expect(readVersion({ version: '0.33.0-rc2' })).to.equal('0.33.0-rc2');
    for (const reply of [null, {}, { version: 1 }, { version: '' }, { version: 'a b' }, '0.1']) {
      expect(readVersion(reply)).to.equal(undefined);
    }
    expect(readVersion({ version: '1'.repeat(65) })).to.equal(undefined);
  });

  it('orders by number, not by letter, and pre-releases before their release', () => {
    const versions = ['0.33.0', '0.9.1', '0.33.0-rc2', '0.32.15', '1', '0.33.0.1', '0.33'];
    expect(versions.sort(compareVersions)).to.deep.equal([
      '0.9.1',
      '0.32.15',
      '0.33.0-rc2',
      '0.33.0',
      '0.33',
      '0.33.0.1',
      '1',
    ]);
    expect(compareVersions('x', '0')).to.equal(0);
  });
});

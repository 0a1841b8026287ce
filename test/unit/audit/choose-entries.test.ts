import { expect } from 'chai';
import { chooseEntries } from '../../../lib/audit/choose-entries.ts';
import { sampleEntry } from '../../support/sample-request.ts';

const lost = sampleEntry({ outcome: 'lost', chargedTokens: 500 });
const settled = sampleEntry();

describe('audit/choose-entries', () => {
  it('takes the first that knows how it ended, wherever it stands', () => {
    const again = sampleEntry({ chargedTokens: 1 });
    expect(chooseEntries([lost, settled, again])).to.deep.equal([settled]);
    expect(chooseEntries([settled, lost])).to.deep.equal([settled]);
    expect(chooseEntries([lost, sampleEntry({ ...lost, chargedTokens: 1 })])).to.deep.equal([lost]);
  });

  it('keeps what belongs to other admissions, by id and by time', () => {
    const other = sampleEntry({ id: '01980000-0000-7000-8000-000000000002' });
    const later = sampleEntry({ admittedAtMs: settled.admittedAtMs + 1 });
    expect(chooseEntries([settled, other, later])).to.deep.equal([settled, other, later]);
    expect(chooseEntries([])).to.deep.equal([]);
  });
});

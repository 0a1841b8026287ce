import { expect } from 'chai';
import { encodeEntry } from '../../../lib/ledger/entry-codec.ts';
import { decodeEvent } from '../../../lib/ledger/event-codec.ts';
import { ADMISSION_ID, KEY_ID, sampleEntry, TENANT_ID } from '../../support/sample-request.ts';

const FACTS = JSON.stringify({
  ...{ id: ADMISSION_ID, clientAddress: null, clientRequestId: null, dialect: 'native' },
  ...{ endpoint: 'chat', streamed: true, model: 'llama3:latest' },
});
const PLACE = ['key', KEY_ID, 'tenant', TENANT_ID, 'at', '1764000000123'];

describe('ledger/event-codec', () => {
  it('gives back a whole entry as it was settled', () => {
    const fields = ['entry', encodeEntry(sampleEntry()), ...PLACE, 'tokens', '46'];
    expect(decodeEvent(fields)).to.deep.equal(sampleEntry());
  });

  it('makes an entry of what was known of a request whose worker is gone', () => {
    const progress = ['tokens', '500', 'prompt', '12', 'completion', '34'];
    expect(decodeEvent(['lost', FACTS, ...PLACE, ...progress])).to.deep.include({
      ...{ id: ADMISSION_ID, keyId: KEY_ID, tenantId: TENANT_ID, admittedAtMs: 1_764_000_000_123 },
      ...{ outcome: 'lost', status: 0, chargedTokens: 500, countSource: 'estimated' },
      ...{ promptTokens: 12, completionTokens: 34, model: 'llama3:latest' },
    });
    const silent = ['tokens', '0', 'prompt', '0', 'completion', '0'];
    expect(decodeEvent(['lost', FACTS, ...PLACE, ...silent])).to.include({ countSource: 'none' });
  });

  it('makes a refusal of an admission that was reaped and then taken back', () => {
    expect(decodeEvent(['refused', FACTS, ...PLACE, 'tokens', '0'])).to.deep.include({
      ...{ outcome: 'refused', refusalCode: 'limiter_unavailable', status: 503, chargedTokens: 0 },
    });
  });

  it('takes nothing that is no event of ours', () => {
    const wrong = [
      [],
      ['other', FACTS, ...PLACE],
      ['entry', FACTS],
      ['lost'],
      ['lost', 'no JSON', ...PLACE, 'tokens', '1'],
      ['lost', '7', ...PLACE, 'tokens', '1'],
      ['lost', 'null', ...PLACE, 'tokens', '1'],
      ['lost', '{}', ...PLACE, 'tokens', '1'],
      ['lost', FACTS, 'tokens', '1'],
    ];
    for (const fields of wrong) expect(decodeEvent(fields)).to.equal(null);
  });
});

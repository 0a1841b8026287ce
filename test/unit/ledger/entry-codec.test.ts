import { expect } from 'chai';
import { decodeEntry, encodeEntry } from '../../../lib/ledger/entry-codec.ts';
import { sampleEntry } from '../../support/sample-request.ts';

describe('ledger/entry-codec', () => {
  it('brings back what went in, absent values included', () => {
    const entry = sampleEntry({
      clientAddress: null,
      clientRequestId: null,
      model: null,
      firstTokenMs: null,
    });
    expect(decodeEntry(encodeEntry(entry))).to.deep.equal(entry);
  });

  it('takes nothing that is no entry, since anyone may have written to the stream', () => {
    const whole = JSON.parse(encodeEntry(sampleEntry())) as Record<string, unknown>;
    const wrong: unknown[] = [
      null,
      [],
      'text',
      {},
      { ...whole, id: 7 },
      { ...whole, status: null },
      { ...whole, streamed: 'yes' },
      { ...whole, admittedAtMs: 1.5 },
      { ...whole, admittedAtMs: -1 },
      { ...whole, admittedAtMs: 1e18 },
    ];
    for (const value of wrong) expect(decodeEntry(JSON.stringify(value))).to.equal(null);
    expect(decodeEntry('')).to.equal(null);
    expect(decodeEntry('{"id":')).to.equal(null);
  });
});

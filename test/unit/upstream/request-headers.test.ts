import { expect } from 'chai';
import { buildUpstreamHeaders } from '../../../lib/upstream/request-headers.ts';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('upstream/request-headers', () => {
  it('is a constant set with the admission id', () => {
    expect(buildUpstreamHeaders('id-1')).to.deep.equal([
      'content-type',
      'application/json',
      'accept',
      'application/x-ndjson, application/json',
      'x-request-id',
      'id-1',
    ]);
  });

  it('passes a traceparent that is one', () => {
    expect(buildUpstreamHeaders('id-1', TRACE).slice(6)).to.deep.equal(['traceparent', TRACE]);
  });

  const wrong: readonly unknown[] = [
    undefined,
    [TRACE],
    '',
    TRACE.toUpperCase(),
    `${TRACE}\r\nx: y`,
    `${TRACE}-more`,
    TRACE.replace('00-', '01-'),
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
  ];
  for (const value of wrong) {
    it(`drops ${value === undefined ? 'a missing one' : JSON.stringify(value)}`, () => {
      expect(buildUpstreamHeaders('id-1', value)).to.have.length(6);
    });
  }
});

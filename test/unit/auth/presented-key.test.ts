import { expect } from 'chai';
import { readPresentedKey } from '../../../lib/auth/presented-key.ts';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';

const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;

describe('auth/presented-key', () => {
  it('reads each of the three places', () => {
    const places: [string, string][] = [
      ['Authorization', 'Bearer nz_k'],
      ['AUTHORIZATION', 'bearer  nz_k '],
      ['x-api-key', 'nz_k'],
      ['X-Api-Key', ' nz_k '],
      ['authorization', basic('anyone:nz_k')],
      ['authorization', basic(':nz_k')],
    ];
    for (const pair of places) expect(readPresentedKey(pair)).to.equal('nz_k');
    expect(readPresentedKey(['authorization', basic('a:b:c')])).to.equal('b:c');
  });

  it('finds none in other headers, schemes, or in what is broken', () => {
    const none = [
      [],
      ['cookie', 'nz_k', 'host', 'nz_k', 'api-key', 'nz_k'],
      ['authorization', 'nz_k'],
      ['authorization', 'Digest nz_k'],
      ['authorization', 'Bearer '],
      ['authorization', basic('no colon')],
      ['authorization', 'Basic %%%'],
      ['x-api-key', ''],
      ['x-api-key'],
    ];
    for (const rawHeaders of none) expect(readPresentedKey(rawHeaders)).not.to.be.ok;
  });

  it('takes the same key in two places, and refuses two different ones', () => {
    const bearer = ['authorization', 'Bearer nz_k'];
    expect(readPresentedKey([...bearer, 'x-api-key', 'nz_k'])).to.equal('nz_k');
    expect(readPresentedKey([...bearer, 'x-api-key', ''])).to.equal('nz_k');
    for (const second of [
      ['x-api-key', 'nz_l'],
      ['authorization', basic('u:nz_l')],
    ]) {
      expect(() => readPresentedKey([...bearer, ...second]))
        .to.throw(GatewayError)
        .with.property('code', 'invalid_request');
    }
  });
});

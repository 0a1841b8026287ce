import { expect } from 'chai';
import { makeAddressCut } from '../../../lib/audit/client-address.ts';

describe('audit/client-address', () => {
  it('keeps the network alone by default', () => {
    const cut = makeAddressCut('prefix');
    expect(cut('192.0.2.77')).to.equal('192.0.2.0/24');
    expect(cut('2001:db8:1:2:3:4:5:6')).to.equal('2001:db8:1::/48');
    expect(cut('2001:db8::1')).to.equal('2001:db8:0::/48');
    expect(cut('::1')).to.equal('0:0:0::/48');
    expect(cut('fe80::1%eth0')).to.equal('fe80:0:0::/48');
    expect(cut('64:ff9b::192.0.2.77')).to.equal('64:ff9b:0::/48');
  });

  it('cuts an IPv4 address in IPv6 clothes as what it is', () => {
    expect(makeAddressCut('prefix')('::ffff:192.0.2.77')).to.equal('192.0.2.0/24');
  });

  it('keeps the whole address or nothing where that is wanted', () => {
    expect(makeAddressCut('full')('2001:db8::1')).to.equal('2001:db8::1');
    expect(makeAddressCut('full')('fe80::1%eth0')).to.equal('fe80::1');
    expect(makeAddressCut('none')('192.0.2.77')).to.equal(null);
  });

  it('keeps nothing that is no address, for the column takes none', () => {
    for (const text of ['', 'unknown', '192.0.2', '1.2.3.4, 5.6.7.8']) {
      expect(makeAddressCut('full')(text)).to.equal(null);
      expect(makeAddressCut('prefix')(text)).to.equal(null);
    }
  });
});

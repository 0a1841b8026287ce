import { expect } from 'chai';
import { makeAddressReader } from '../../../lib/http/client-address.ts';

const reader = makeAddressReader(['127.0.0.0/8', '::1', '10.1.0.0/16', 'fd00::/8']);

function read(peer: string | undefined, forwardedFor?: string): string {
  return reader.toClient(reader.toPeer(peer), forwardedFor);
}

describe('http/client-address', () => {
  it('a peer that is no trusted proxy is the client, whatever it says', () => {
    expect(read('203.0.113.9', '8.8.8.8')).to.equal('203.0.113.9');
    expect(read('203.0.113.9')).to.equal('203.0.113.9');
  });

  it('a trusted peer tells the client', () => {
    expect(read('127.0.0.1', '203.0.113.9')).to.equal('203.0.113.9');
    expect(read('::1', ' 203.0.113.9 ')).to.equal('203.0.113.9');
    expect(read('fd00::5', '2001:DB8:0::1')).to.equal('2001:db8::1');
  });

  it('the right-most hop that is no trusted proxy counts: what is left of it the client wrote', () => {
    expect(read('127.0.0.1', '8.8.8.8, 203.0.113.9, 10.1.2.3')).to.equal('203.0.113.9');
    expect(read('127.0.0.1', '127.0.0.1, 203.0.113.9')).to.equal('203.0.113.9');
  });

  it('if all hops are trusted proxies the first of them is the client', () => {
    expect(read('127.0.0.1', '10.1.0.7, 10.1.0.8')).to.equal('10.1.0.7');
  });

  it('garbage where the client should stand means the peer', () => {
    for (const text of ['', 'unknown', '1.2.3.4:80', '[::1]', 'fe80::1%eth0', '1.2.3.4,', 'a b']) {
      expect(read('127.0.0.1', text), text).to.equal('127.0.0.1');
    }
    expect(read('127.0.0.1', 'garbage, 203.0.113.9')).to.equal('203.0.113.9');
  });

  it('an IPv4 address in the clothes of IPv6 is an IPv4 address', () => {
    expect(read('::ffff:127.0.0.1', '::FFFF:cb00:7109')).to.equal('203.0.113.9');
    expect(read('::ffff:203.0.113.9')).to.equal('203.0.113.9');
  });

  it('a link-local peer loses its zone, a peer that is gone has no address', () => {
    expect(read('fe80::1%eth0')).to.equal('fe80::1');
    expect(reader.toPeer(undefined)).to.deep.equal({ address: 'unknown', trusted: false });
  });

  it('with no trusted proxies nobody is believed', () => {
    const none = makeAddressReader([]);
    expect(none.toClient(none.toPeer('127.0.0.1'), '8.8.8.8')).to.equal('127.0.0.1');
  });
});

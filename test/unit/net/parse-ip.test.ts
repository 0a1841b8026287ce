import { expect } from 'chai';
import fc from 'fast-check';
import { parseIp, toNetwork } from '../../../lib/net/parse-ip.ts';

describe('net/parse-ip', () => {
  const written: [string, string][] = [
    ['::', '0:0:0:0:0:0:0:0'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['1::', '1:0:0:0:0:0:0:0'],
    ['2001:0DB8:0001::6', '2001:db8:1:0:0:0:0:6'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0:0:0:c000:207'],
    ['1:2:3:4:5:6:192.0.2.7', '1:2:3:4:5:6:c000:207'],
    ['fe80::1%eth0', 'fe80:0:0:0:0:0:0:1'],
  ];
  for (const [text, groups] of written) {
    it(`reads ${text} as eight groups`, () => {
      expect(parseIp(text)).to.deep.equal({ family: 6, groups: groups.split(':') });
    });
  }

  it('takes an IPv4 address for one in every dress', () => {
    const dresses = [
      '192.0.2.7',
      '::ffff:192.0.2.7',
      '0:0:0:0:0:FFFF:192.0.2.7',
      '::ffff:c000:207',
    ];
    for (const text of dresses) {
      expect(parseIp(text), text).to.deep.equal({ family: 4, text: '192.0.2.7' });
    }
  });

  it('finds no address in other text', () => {
    for (const text of ['', 'unix', '192.0.2', '1.2.3.4, 5.6.7.8', '1::2::3', ':::']) {
      expect(parseIp(text), text).to.equal(null);
    }
  });

  it('reads what it wrote itself as the same', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const parsed = parseIp(text);
        if (parsed?.family !== 6) return;
        expect(parsed.groups).to.have.length(8);
        expect(parseIp(parsed.groups.join(':'))).to.deep.equal(parsed);
      }),
    );
  });

  it('cuts a network off', () => {
    expect(toNetwork('1:2:3:4:5:6:7:8'.split(':'), 4)).to.equal('1:2:3:4::/64');
  });
});

import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { makeRedisWire } from '../../support/redis-wire.ts';
import type { Wire } from '../../support/wire.ts';

const LUA = 'return 1';
const SHA = createHash('sha1').update(LUA).digest('hex');
const SCRIPTS = [{ command: 'nz_settle', lua: LUA }];

function encode(...strings: readonly string[]): Buffer {
  const bulks = strings.map((text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`);
  return Buffer.from(`*${strings.length}\r\n${bulks.join('')}`);
}

const COMMANDS = [
  encode('HELLO', '3'),
  encode('get', 'käse\r\n'),
  encode('EVAL', LUA, '2', 'a', 'b', 'c', ''),
  encode('evalsha', SHA, '1', 'k', 'v'),
  encode('evalsha', '0'.repeat(40), '0'),
  encode('XDEL', 'events', '1-1', '2-1'),
];
const REPLIES = [
  '%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n+proto\r\n:3\r\n',
  '+OK\r\n',
  '>2\r\n+message\r\n$2\r\n\r\n\r\n',
  '$-1\r\n',
  '*-1\r\n',
  '_\r\n',
  '*0\r\n',
  '*3\r\n*2\r\n:1\r\n*1\r\n$0\r\n\r\n~1\r\n#t\r\n*0\r\n',
  '-NOSCRIPT No matching script.\r\n',
  '-ERR no\r\n',
  '=6\r\ntxt:ab\r\n',
].map((text) => Buffer.from(text));

/** What comes of bytes that arrive in two pieces, the second by single bytes. */
function split<T>(
  bytes: Buffer,
  at: number,
  read: (wire: Wire, chunk: Buffer) => readonly T[],
): T[] {
  const wire = makeRedisWire(SCRIPTS);
  const first = [...read(wire, bytes.subarray(0, at))];
  const rest = [...bytes.subarray(at)].flatMap((byte) => read(wire, Buffer.from([byte])));
  return [...first, ...rest];
}

describe('support/redis-wire', () => {
  it('names commands and scripts, at whatever byte they are split, and changes nothing', () => {
    const bytes = Buffer.concat(COMMANDS);
    for (let at = 0; at <= bytes.length; at += 1) {
      const commands = split(bytes, at, (wire, chunk) => wire.readCommands(chunk));
      expect(commands.map(({ name, args }) => [name, ...args])).to.deep.equal([
        ['hello', '3'],
        ['get', 'käse\r\n'],
        ['settle', 'a', 'b', 'c', ''],
        ['settle', 'k', 'v'],
        ['evalsha'],
        ['xdel', 'events', '1-1', '2-1'],
      ]);
      expect(commands.map((command) => command.bytes)).to.deep.equal(COMMANDS);
    }
  });

  it('counts one reply for each value, nested or not, and none for what is pushed', () => {
    const bytes = Buffer.concat(REPLIES);
    for (let at = 0; at <= bytes.length; at += 1) {
      const parts = split(bytes, at, (wire, chunk) => wire.readReplies(chunk));
      expect(parts.map((part) => part.bytes)).to.deep.equal(REPLIES);
      expect(parts.map(({ endsReply }) => endsReply)).to.deep.equal(
        REPLIES.map((_, index) => index !== 2),
      );
      expect(parts.findIndex(({ unknownScript }) => unknownScript)).to.equal(8);
    }
  });

  it('puts its own ports where the nodes of a cluster name each other, and nowhere else', () => {
    const ports = new Map([
      [40_001, 50_001],
      [40_002, 50_002],
    ]);
    const slots = (port: number): string =>
      `*3\r\n:0\r\n:5460\r\n*4\r\n$9\r\n127.0.0.1\r\n:${port}\r\n$2\r\nid\r\n*0\r\n`;
    const changed = [
      [`*2\r\n${slots(40_001)}${slots(40_002)}`, `*2\r\n${slots(50_001)}${slots(50_002)}`],
      ['-MOVED 7 127.0.0.1:40002\r\n', '-MOVED 7 127.0.0.1:50002\r\n'],
      ['-ASK 7 127.0.0.1:40001\r\n', '-ASK 7 127.0.0.1:50001\r\n'],
    ];
    const left = [
      slots(40_003),
      '-MOVED 7 127.0.0.1:40003\r\n',
      ':40001\r\n',
      '$31\r\n-MOVED 7 127.0.0.1:40001\r\nworse\r\n',
      '$15\r\n127.0.0.1:40001\r\n',
    ];
    const read = (reply: string): string => {
      const wire = makeRedisWire(SCRIPTS, ports);
      const parts = wire.readReplies(Buffer.from(reply));
      return Buffer.concat(parts.map(({ bytes }) => bytes)).toString();
    };
    for (const [reply = '', wanted] of changed) expect(read(reply)).to.equal(wanted);
    for (const reply of left) expect(read(reply)).to.equal(reply);
  });

  it('refuses what it cannot read, rather than to miss a step', () => {
    const wrong = ['PING\r\n', '*1\r\n:1\r\n', '+OK\r\n', '*x\r\n', '*-5\r\n'].map((text) =>
      Buffer.from(text),
    );
    for (const bytes of [...wrong, encode('SUBSCRIBE', 'a'), encode('monitor')]) {
      expect(() => makeRedisWire(SCRIPTS).readCommands(bytes), bytes.toString()).to.throw();
    }
    expect(() => makeRedisWire(SCRIPTS).readReplies(Buffer.from('HTTP/1.1'))).to.throw('not RESP');
  });
});

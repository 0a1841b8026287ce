import { expect } from 'chai';
import { makePostgresWire } from '../../support/postgres-wire.ts';
import type { Wire } from '../../support/wire.ts';

const SSL_REQUEST = 80_877_103;
const VERSION_3 = 196_608;

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

/** A message of parts; texts end with a zero byte. */
function make(type: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)),
  );
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function bind(statement: string, ...values: readonly (string | null)[]): Buffer {
  const parameters = values.map((value) =>
    value === null
      ? int32(-1)
      : Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)]),
  );
  const counts = [int16(1), int16(0), int16(values.length)];
  return make('B', '', statement, ...counts, ...parameters, int16(0));
}

const EXECUTE = make('E', '', int32(0));
const SYNC = make('S');
const FROM_CLIENT = [
  make('', int32(SSL_REQUEST)),
  make('', int32(VERSION_3), 'user', 'me', ''),
  make('p', 'secret'),
  make('Q', '  BEGIN;'),
  Buffer.concat([
    make('P', 'add', '-- a\n/* b */ INSERT\n  into t values ($1, $2)', int16(0)),
    bind('add', 'é', null),
    make('D', 'P'),
    EXECUTE,
    SYNC,
  ]),
  Buffer.concat([bind('add', '2', '3'), EXECUTE, SYNC]),
  Buffer.concat([make('P', '', 'select 1', int16(0)), SYNC]),
  SYNC,
  make('Q', 'commit'),
  make('X'),
];
const NAMES = [
  'encrypt',
  'startup',
  '',
  'begin;',
  'insert into t values ($1, $2)',
  'insert into t values ($1, $2)',
  'select 1',
  'sync',
  'commit',
  '',
];
const FROM_STORE = [
  Buffer.from('N'),
  make('R', int32(3)),
  make('R', int32(0)),
  make('Z', Buffer.from('I')),
  make('A', int32(7), 'channel', 'text'),
  make('D', int16(1), int32(1), Buffer.from('Z')),
  make('C', 'INSERT 0 1'),
  make('Z', Buffer.from('T')),
];

function split<T>(bytes: Buffer, read: (chunk: Buffer) => readonly T[]): (at: number) => T[] {
  return (at) => [
    ...read(bytes.subarray(0, at)),
    ...[...bytes.subarray(at)].flatMap((byte) => read(Buffer.from([byte]))),
  ];
}

describe('support/postgres-wire', () => {
  it('names what the client asks, at whatever byte it is split, and changes nothing', () => {
    const bytes = Buffer.concat(FROM_CLIENT);
    for (let at = 0; at <= bytes.length; at += 1) {
      const wire = makePostgresWire();
      const commands = split(bytes, (chunk) => wire.readCommands(chunk))(at);
      expect(commands.map((command) => command.bytes)).to.deep.equal(FROM_CLIENT);
      expect(commands.map(({ name }) => name)).to.deep.equal(NAMES);
      expect(commands.map(({ answered }) => answered)).to.deep.equal(NAMES.map((n) => n !== ''));
      expect(commands[4]?.args.slice(1)).to.deep.equal(['é', '']);
      expect(commands[5]?.args.slice(1)).to.deep.equal(['2', '3']);
    }
  });

  it('counts a reply for each ReadyForQuery, and lets pass what the client must answer', () => {
    const bytes = Buffer.concat(FROM_STORE);
    for (let at = 0; at <= bytes.length; at += 1) {
      const wire = makePostgresWire();
      wire.readCommands(Buffer.concat(FROM_CLIENT));
      const parts = split(bytes, (chunk) => wire.readReplies(chunk))(at);
      expect(parts.map((part) => part.bytes)).to.deep.equal(FROM_STORE);
      const ending = parts.flatMap(({ endsReply }, index) => (endsReply ? [index] : []));
      expect(ending).to.deep.equal([0, 3, 7]);
      const urgent = parts.flatMap((part, index) => (part.urgent ? [index] : []));
      expect(urgent).to.deep.equal([1, 2]);
    }
  });

  it('refuses what it cannot read, rather than to miss a step', () => {
    const started = (): Wire => {
      const wire = makePostgresWire();
      wire.readCommands(make('', int32(VERSION_3), ''));
      return wire;
    };
    expect(() => started().readCommands(make('H'))).to.throw('type H');
    expect(() => started().readCommands(Buffer.from('Q\0\0\0\0'))).to.throw('protocol');
    expect(() => makePostgresWire().readCommands(Buffer.from('\x16\x03\x01\x02'))).to.throw();
    const encrypted = makePostgresWire();
    encrypted.readCommands(make('', int32(SSL_REQUEST)));
    expect(() => encrypted.readReplies(Buffer.from('S'))).to.throw('encrypted');
  });

  it('leaves the name empty when there is nothing but a comment', () => {
    const wire = makePostgresWire();
    wire.readCommands(make('', int32(VERSION_3), ''));
    const [first] = wire.readCommands(make('Q', '/* not closed'));
    expect(first?.name).to.equal('/* not closed');
    expect(wire.readCommands(make('Q', ''))[0]?.name).to.equal('');
  });
});

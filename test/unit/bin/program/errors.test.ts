import { expect } from 'chai';
import { PassThrough } from 'node:stream';
import { CommandError } from '../../../../bin/program/command-error.ts';
import { toDatabaseError } from '../../../../bin/program/database-error.ts';
import { toRedisError } from '../../../../bin/program/redis-error.ts';
import { readLine } from '../../../../bin/program/read-stdin.ts';
import { suggest } from '../../../../bin/program/suggest.ts';
import { toCommandError, toTrace } from '../../../../bin/program/to-command-error.ts';
import { ActError } from '../../../../lib/tenants/act-error.ts';

describe('bin/program: what goes wrong', () => {
  it('tells of an unforeseen error its kind alone: its text could hold anything', () => {
    const error = new TypeError('postgres://gw:secret-password@host/db is odd');
    const failure = toCommandError(error);
    expect(failure).to.include({ exitCode: 1, message: 'unexpected TypeError' });
    expect(toCommandError('text').message).to.equal('unexpected string');
    const trace = toTrace(new Error('outer secret-password', { cause: error })).join('\n');
    expect(trace).to.include('TypeError').and.include('errors.test.ts');
    expect(trace).not.to.include('secret-password');
  });

  it('takes no line of a message for a frame, however it begins', () => {
    const lines = ['outer', '    at secret-password (file:///x.ts:1:2)', '  at secret-password'];
    const trace = toTrace(new Error(lines.join('\n'))).join('\n');
    expect(trace).to.include('errors.test.ts').and.not.include('secret-password');
    const renamed = new Error('one');
    expect(renamed.stack).to.include('one');
    renamed.message = 'another that the stack does not hold';
    expect(toTrace(renamed)).to.deep.equal(['Error']);
  });

  it('takes for an absent Postgres what pg says without a code', () => {
    const texts = [
      'timeout exceeded when trying to connect',
      'Query read timeout',
      'Connection terminated unexpectedly',
    ];
    for (const text of texts) {
      expect(toDatabaseError(new Error(text)), text).to.include({ exitCode: 6 });
    }
    const refusedConnection = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    expect(toDatabaseError(refusedConnection)).to.include({ exitCode: 6 });
  });

  it('takes a missing password for a refusal', () => {
    const error = new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string');
    expect(toDatabaseError(error)).to.include({ exitCode: 4 });
  });

  it('leaves alone what has nothing to do with Postgres', () => {
    const bug = new TypeError('x is not a function');
    expect(toDatabaseError(bug)).to.equal(bug);
    expect(toDatabaseError('text')).to.equal('text');
  });

  it('tells a Redis that is away from one that says no, and repeats no word of either', () => {
    const reply = (text: string): Error => Object.assign(new Error(text), { name: 'ReplyError' });
    const refused = Object.assign(new Error('connect ECONNREFUSED'), {
      code: 'ECONNREFUSED',
      syscall: 'connect',
    });
    const cases: readonly [Error, number][] = [
      [refused, 6],
      [new Error('Connection is closed.'), 6],
      [new Error('Command timed out'), 6],
      [reply('LOADING Redis is loading the dataset'), 6],
      [reply('WRONGPASS secret-word'), 4],
      [reply('NOAUTH Authentication required.'), 4],
      [reply('WRONGTYPE secret-word'), 1],
    ];
    for (const [error, exitCode] of cases) {
      const failure = toRedisError(error) as CommandError;
      expect(failure, error.message).to.be.instanceOf(CommandError).and.include({ exitCode });
      expect(failure.message).not.to.include('secret-word');
    }
    const bug = new TypeError('x is not a function');
    const ofPostgres = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    for (const other of [bug, ofPostgres, 'text']) expect(toRedisError(other)).to.equal(other);
    const told = toRedisError(refused);
    expect(toRedisError(told)).to.equal(told);
  });

  it('gives each act that was not done its exit code', () => {
    const codes = ['tenant_not_found', 'tenant_exists', 'tenant_closed', 'key_not_found'] as const;
    const exits = [...codes, 'key_ambiguous' as const].map(
      (code) => toCommandError(new ActError(code, 'text')).exitCode,
    );
    expect(exits).to.deep.equal([3, 5, 5, 3, 2]);
  });

  it('guesses only what is near', () => {
    expect(suggest('lits-keys', ['list-keys', 'list-tenants'])).to.equal('list-keys');
    expect(suggest('x', ['list-keys'])).to.equal(undefined);
    expect(suggest('', ['a'])).to.equal('a');
  });

  it('reads the first line of stdin and no more than a bound', async () => {
    expect(await readLine(feed('  the key \r\nmore'), 64)).to.equal('the key');
    expect(await readLine(feed('no newline'), 64)).to.equal('no newline');
    const error: unknown = await readLine(feed('x'.repeat(100)), 64).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(CommandError);
  });
});

function feed(text: string): PassThrough {
  const stream = new PassThrough();
  stream.end(text);
  return stream;
}

import { expect } from 'chai';
import { examine, pass } from '../../../../bin/doctor/check.ts';
import { examineWith } from '../../../../bin/doctor/examine-with.ts';
import { readExpectedSchema } from '../../../../bin/doctor/expected-schema.ts';

const asItIs = (error: unknown): unknown => error;

describe('bin/doctor: how a look becomes a check', () => {
  it('what goes wrong tells its kind and code, never its text', async () => {
    const fault = Object.assign(new Error('postgres://gw:hunter2@db/gw'), { code: 'EPROTO' });
    const check = await examine({ name: 'redis', look: () => Promise.reject(fault) });
    expect(check).to.include({ name: 'redis', about: null, status: 'fail', hint: null });
    expect(check.seen).to.equal('unexpected Error (EPROTO)');
  });

  it('a connection that is lost half-way leaves no check out', async () => {
    const checks = await examineWith<number>(
      {
        lend: async (act) => {
          await act(1);
          throw new Error('it could not be closed');
        },
        translate: asItIs,
      },
      {
        first: () => Promise.resolve(pass('there')),
        second: () => Promise.reject(new TypeError('gone')),
      },
    );
    expect(checks.map(({ name, status }) => [name, status])).to.deep.equal([
      ['first', 'pass'],
      ['second', 'fail'],
    ]);
  });

  it('without a connection the first check says why, and the others that they were not made', async () => {
    const checks = await examineWith<number>(
      { lend: () => Promise.reject(new Error('away')), translate: asItIs },
      { first: () => Promise.resolve(pass('')), second: () => Promise.resolve(pass('')) },
    );
    expect(checks.map(({ status, seen }) => [status, seen])).to.deep.equal([
      ['fail', 'unexpected Error (no code)'],
      ['fail', 'not looked at: unexpected Error (no code)'],
    ]);
  });

  it('knows every kind of right and the triggers that the migrations make', async () => {
    const { rights, triggers } = await readExpectedSchema();
    expect(triggers).to.deep.include({ name: 'revocations_notify', table: 'gateway.revocations' });
    expect(new Set(rights.map(({ kind }) => kind))).to.deep.equal(
      new Set(['schema', 'table', 'column', 'function']),
    );
    expect(rights).to.deep.include.members([
      { kind: 'schema', thing: 'gateway', privilege: 'usage' },
      { kind: 'column', thing: 'gateway.api_keys.hash', privilege: 'update' },
      { kind: 'function', thing: 'gateway.prune_changes()', privilege: 'execute' },
      { kind: 'table', thing: 'gateway.audit_log', privilege: 'insert' },
    ]);
  });
});

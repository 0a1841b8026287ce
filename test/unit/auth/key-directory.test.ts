import { expect } from 'chai';
import { makeKeyDirectory } from '../../../lib/auth/key-directory.ts';
import type { Principal } from '../../../lib/auth/principal.ts';
import { refusalOf } from '../../support/auth-world.ts';
import { makeKeyRow, makeTenantRow } from '../../support/rows.ts';

const principal = { key: makeKeyRow(), tenant: makeTenantRow() };
const { publicId } = principal.key;

describe('auth/key-directory', () => {
  let nowMs: number;
  let shared: { key: Principal['key'] | undefined; tenant: Principal['tenant'] | undefined };
  let answers: ((found: Principal | undefined) => void)[];
  const make = () =>
    makeKeyDirectory({
      shared: {
        readKey: () => shared.key,
        readTenant: () => shared.tenant,
        readGeneration: () => 1,
      },
      find: () => new Promise((resolve) => answers.push(resolve)),
      clock: { monotonicMs: () => nowMs, wallMs: () => nowMs },
      unknownKeySeconds: 10,
      believedMs: 750,
    });

  beforeEach(() => {
    nowMs = 0;
    shared = { key: undefined, tenant: undefined };
    answers = [];
  });

  it('reads a key only together with its tenant', () => {
    const directory = make();
    expect(directory.read(publicId)).to.equal(undefined);
    shared = { ...shared, key: principal.key };
    expect(directory.read(publicId)).to.equal(undefined);
    shared = principal;
    expect(directory.read(publicId)).to.deep.equal(principal);
  });

  it('asks Postgres for a bounded number of ids at one time', async () => {
    const directory = make();
    const lookups = Array.from({ length: 64 }, (_, index) => directory.lookUp(`id-${index}`));
    expect((await refusalOf(directory.lookUp('one-more'))).code).to.equal('overloaded');
    const joined = directory.lookUp('id-0');
    for (const answer of answers) answer(undefined);
    expect(await joined).to.equal(undefined);
    await Promise.all(lookups);
    expect(directory.isUnknown('id-63')).to.equal(true);
    expect(directory.isUnknown('one-more')).to.equal(false);
    void directory.lookUp('one-more');
    expect(answers).to.have.length(65);
  });

  it('believes what Postgres said until shared memory tells, or for a lease', async () => {
    const directory = make();
    const lookup = directory.lookUp(publicId);
    nowMs = 700;
    answers[0]?.(principal);
    const rows = await lookup;
    if (!rows) throw new Error('not found');
    expect(directory.isCurrent(rows)).to.equal(true);
    nowMs = 750;
    expect(directory.isCurrent(rows)).to.equal(false);
    shared = principal;
    expect(directory.isCurrent(rows)).to.equal(true);
    shared = { ...principal, tenant: makeTenantRow({ version: 2 }) };
    expect(directory.isCurrent(rows)).to.equal(false);
    shared = { ...principal, key: makeKeyRow({ version: 2 }) };
    expect(directory.isCurrent(rows)).to.equal(false);
  });

  it('calls rows of shared memory stale when their key is gone from it', () => {
    const directory = make();
    expect(directory.isCurrent(principal)).to.equal(false);
  });
});

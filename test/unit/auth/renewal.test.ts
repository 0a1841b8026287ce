import { verifySync } from '@node-rs/argon2';
import { expect } from 'chai';
import { hashKey } from '../../../lib/auth/hash-key.ts';
import { makeSecretTag } from '../../../lib/auth/secret-tag.ts';
import { makeRenewal } from '../../../lib/auth/renewal.ts';
import type { RenewedSecret } from '../../../lib/auth/renewal.ts';
import { makeKeyRow } from '../../support/rows.ts';
import { TEST_COST, TEST_PEPPER } from '../../support/seed-key.ts';
import { until } from '../../support/until.ts';

const key = 'nz_key';

describe('auth/renewal', () => {
  let renewals: [string, number, RenewedSecret][];
  let events: string[];
  let isAway: boolean;
  let strong: string;
  let weak: string;

  const make = () =>
    makeRenewal({
      argon2: { hash: hashKey, verify: () => Promise.resolve(false) },
      renew: (...renewal) => {
        renewals.push(renewal);
        return isAway ? Promise.reject(new Error('away')) : Promise.resolve();
      },
      cost: { ...TEST_COST, passes: 2 },
      pepper: TEST_PEPPER,
      report: (event) => events.push(event),
    });
  const done = () => until(() => events.length > 0, { withinMs: 2_000, what: 'the renewal' });

  before(async () => {
    weak = await hashKey(key, TEST_COST);
    strong = await hashKey(key, { ...TEST_COST, passes: 2 });
  });

  beforeEach(() => {
    renewals = [];
    events = [];
    isAway = false;
  });

  it('makes a weaker hash anew, for the version that was verified', async () => {
    make()(makeKeyRow({ hash: weak, version: 7 }), key, 'current');
    await done();
    const [[keyId, version, renewed] = []] = renewals;
    expect([keyId, version]).to.deep.equal([makeKeyRow().keyId, 7]);
    expect(renewed).to.have.all.keys('hash');
    expect(renewed?.hash).to.match(/^\$argon2id\$v=19\$m=8192,t=2,p=1\$/);
    expect(verifySync(renewed?.hash ?? '', key)).to.equal(true);
    expect(events).to.deep.equal(['renewed']);
  });

  for (const tag of ['missing', 'previous'] as const) {
    it(`makes a tag that is ${tag} anew`, async () => {
      make()(makeKeyRow({ hash: strong }), key, tag);
      await done();
      expect(renewals[0]?.[2]).to.deep.equal({ secretTag: makeSecretTag(TEST_PEPPER, key) });
    });
  }

  it('writes nothing when nothing is to be renewed', async () => {
    const renew = make();
    renew(makeKeyRow({ hash: strong, keyId: 'a' }), key, 'current');
    renew(makeKeyRow({ hash: strong, keyId: 'b' }), key, 'missing');
    await done();
    expect(renewals.map(([keyId]) => keyId)).to.deep.equal(['b']);
  });

  it('renews a key once at a time, and again after a failure', async () => {
    const renew = make();
    isAway = true;
    renew(makeKeyRow({ hash: weak }), key, 'current');
    renew(makeKeyRow({ hash: weak }), key, 'current');
    await done();
    expect(events).to.deep.equal(['renewal_failed']);
    expect(renewals).to.have.length(1);
    isAway = false;
    events = [];
    await new Promise(setImmediate);
    renew(makeKeyRow({ hash: weak }), key, 'current');
    await done();
    expect(events).to.deep.equal(['renewed']);
  });
});

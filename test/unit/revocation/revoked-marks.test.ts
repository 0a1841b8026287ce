import { expect } from 'chai';
import { makeRevokedMarks } from '../../../lib/revocation/revoked-marks.ts';
import type { RevokedKey } from '../../../lib/revocation/revoked-marks.ts';

const key = (keyId: string): RevokedKey => ({ tenantId: 't', keyId });

describe('revocation/revoked-marks', () => {
  let isAway: boolean;
  let tries: string[];
  const mark = ({ keyId }: RevokedKey): Promise<void> => {
    tries.push(keyId);
    return isAway ? Promise.reject(new Error('away')) : Promise.resolve();
  };

  beforeEach(() => {
    isAway = false;
    tries = [];
  });

  it('marks each key once', async () => {
    const marks = makeRevokedMarks(mark);
    marks.add([key('a'), key('b')]);
    await marks.flush();
    await marks.flush();
    expect(tries).to.deep.equal(['a', 'b']);
  });

  it('tries again what could not be marked, each time it is asked', async () => {
    const marks = makeRevokedMarks(mark);
    isAway = true;
    marks.add([key('a')]);
    await marks.flush();
    marks.add([key('b')]);
    await marks.flush();
    isAway = false;
    await marks.flush();
    await marks.flush();
    expect(tries).to.deep.equal(['a', 'a', 'b', 'a', 'b']);
  });

  it('marks a key that was added while others were being marked', async () => {
    const gate = Promise.withResolvers<undefined>();
    const marks = makeRevokedMarks(async (revoked) => {
      await gate.promise;
      await mark(revoked);
    });
    marks.add([key('a')]);
    const first = marks.flush();
    marks.add([key('b')]);
    const second = marks.flush();
    gate.resolve(undefined);
    await Promise.all([first, second]);
    expect(tries).to.deep.equal(['a', 'b']);
  });

  it('does not ask a store that is away for every key of a large tenant', async () => {
    isAway = true;
    const marks = makeRevokedMarks(mark);
    marks.add(Array.from({ length: 5_000 }, (_, index) => key(`k${index}`)));
    await marks.flush();
    expect(tries.length).to.be.at.most(500);
    isAway = false;
    await marks.flush();
    expect(new Set(tries).size).to.equal(5_000);
  });

  it('holds a bounded number; the oldest give way', async () => {
    const marks = makeRevokedMarks(mark, 2);
    marks.add([key('a'), key('b'), key('c'), key('b')]);
    await marks.flush();
    expect(tries).to.deep.equal(['b', 'c']);
  });
});

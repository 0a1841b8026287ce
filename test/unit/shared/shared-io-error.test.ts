import { expect } from 'chai';
import { nameIoErrors, SharedIoError } from '../../../lib/shared/shared-io-error.ts';

describe('shared/shared-io-error', () => {
  const fail = (code?: number | string) => () => {
    nameIoErrors(() => {
      throw Object.assign(new Error('cut'), code !== undefined && { code });
    });
  };

  it('gives the number of a failed call its name, which a log may show', () => {
    expect(fail(28)).to.throw(SharedIoError).with.property('code', 'ENOSPC');
    expect(fail(5)).to.throw(SharedIoError).with.property('code', 'EIO');
    expect(fail(-30_792)).to.throw(SharedIoError).with.property('code', 'LMDB-30792');
  });

  it('leaves alone what is not of lmdb', () => {
    expect(fail()).to.throw('cut').not.instanceOf(SharedIoError);
    expect(fail('EACCES')).to.throw('cut').with.property('code', 'EACCES');
    expect(nameIoErrors(() => 7)).to.equal(7);
  });
});

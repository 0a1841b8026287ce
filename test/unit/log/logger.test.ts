import { expect } from 'chai';
import { describeError } from '../../../lib/log/logger.ts';

describe('log/logger', () => {
  it('tells of an error its class and code, never its message', () => {
    const error = Object.assign(new RangeError('a secret'), { code: 'ECONNREFUSED' });
    expect(describeError(error)).to.deep.equal({
      'error.type': 'RangeError',
      'error.code': 'ECONNREFUSED',
    });
  });

  it('takes no code that is no text, and of what is no error only the type', () => {
    const error = Object.assign(new Error('a secret'), { code: { a: 'secret' } });
    expect(describeError(error)).to.deep.equal({ 'error.type': 'Error', 'error.code': undefined });
    expect(describeError('a secret')).to.deep.equal({ 'error.type': 'string' });
  });
});

import { expect } from 'chai';
import { isNothing, readKeepAlive } from '../../../../lib/ollama/requests/keep-alive.ts';

describe('ollama/requests/keep-alive', () => {
  it('takes seconds and the durations of Go', () => {
    for (const value of [
      5,
      -1,
      0.5,
      '5m',
      '1h30m',
      '0',
      '-1s',
      '+1.5h',
      '.5s',
      '1.s',
      '3\u00b5s',
      '3\u03bcs',
      '10us20ns',
      '100ms',
    ]) {
      expect(readKeepAlive(value)).to.equal(value);
    }
    expect(readKeepAlive(null)).to.equal(null);
    expect(readKeepAlive(undefined)).to.equal(null);
  });

  it('refuses what Ollama could not read', () => {
    for (const value of [
      '',
      '-',
      '5',
      'm',
      '5 m',
      '5d',
      '1h-5m',
      '--1s',
      '.s',
      '1e3s',
      '5M',
      '1hx',
      '9999999999h',
      `${'1'.repeat(70)}s`,
      1e300,
      Infinity,
      true,
      {},
      [],
    ]) {
      expect(() => readKeepAlive(value), JSON.stringify(value)).to.throw('keep_alive');
    }
  });

  it('knows what unloads a model', () => {
    for (const value of [0, -0, '0', '-0', '0s', '0h0m0.0s', '0.5ns', 1e-10]) {
      expect(isNothing(value), String(value)).to.equal(true);
    }
    for (const value of [null, 1, -1, '1ns', '-1s', 1e-9]) {
      expect(isNothing(value), String(value)).to.equal(false);
    }
  });
});

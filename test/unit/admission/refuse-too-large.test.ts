import { expect } from 'chai';
import { levelsOf } from '../../../lib/admission/levels.ts';
import { refuseTooLarge } from '../../../lib/admission/refuse-too-large.ts';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import type { Limits } from '../../../lib/shared/records.ts';
import { samplePrincipal } from '../../support/sample-request.ts';

const SIZE = { promptTokens: 30, promptBoundTokens: 600, askedTokens: 100, leastTokens: 64 };
const EMBEDDING = { promptTokens: 0, promptBoundTokens: 600, askedTokens: null, leastTokens: 0 };

type Given = Parameters<typeof samplePrincipal>[0];

function refusalOf(limits: Given, size: typeof SIZE | typeof EMBEDDING = SIZE): string | null {
  try {
    refuseTooLarge(size, levelsOf(samplePrincipal(limits)));
    return null;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    expect(error.code).to.equal('request_too_large_for_limit');
    return error.message;
  }
}

describe('admission/refuse-too-large', () => {
  it('lets pass what fits a whole limit exactly', () => {
    const fits = { tokensPerMinute: 94, budgetTokens: 601, requestsPerMinute: 1, concurrency: 1 };
    expect(refusalOf({})).to.equal(null);
    expect(refusalOf({ key: fits, tenant: fits })).to.equal(null);
    expect(refusalOf({ key: { ...fits, budgetTokens: 600 } }, EMBEDDING)).to.equal(null);
  });

  it('names the limit and the scope that one token more would pass', () => {
    for (const level of ['key', 'tenant'] as const) {
      expect(refusalOf({ [level]: { tokensPerMinute: 93 } })).to.equal(
        `The ${level}'s limit of tokens a minute is 93 in all; this request could use 94 or more. A shorter prompt may fit.`,
      );
      expect(refusalOf({ [level]: { budgetTokens: 600 } })).to.match(
        new RegExp(`^The ${level}'s token budget is 600 in all; this request could use 601 `),
      );
    }
  });

  it('refuses everything under a limit of 0, however little it asks', () => {
    const zeros: readonly [keyof Limits, string][] = [
      ['requestsPerMinute', 'limit of requests a minute is 0: it may make none.'],
      ['tokensPerMinute', 'limit of tokens a minute is 0: it may use none.'],
      ['concurrency', 'limit of concurrent requests is 0: it may make none.'],
      ['budgetTokens', 'token budget is 0: it may use none.'],
    ];
    for (const [limit, text] of zeros) {
      expect(refusalOf({ key: { [limit]: 0 } }, EMBEDDING)).to.equal(`The key's ${text}`);
      expect(refusalOf({ tenant: { [limit]: 0 } }, EMBEDDING)).to.equal(`The tenant's ${text}`);
    }
  });

  it('names the first in the order of admission', () => {
    const none = { requestsPerMinute: 0, tokensPerMinute: 0, concurrency: 0, budgetTokens: 0 };
    expect(refusalOf({ key: none, tenant: none })).to.match(/^The key's limit of requests/);
    expect(refusalOf({ key: { concurrency: 0 }, tenant: { tokensPerMinute: 0 } })).to.match(
      /^The tenant's limit of tokens/,
    );
  });
});

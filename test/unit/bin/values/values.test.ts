import { expect } from 'chai';
import type { z } from 'zod';
import { CommandError } from '../../../../bin/program/command-error.ts';
import { budget } from '../../../../bin/values/budget.ts';
import { limit, MAX_INTEGER, MAX_TOKENS, readCount } from '../../../../bin/values/count.ts';
import { expiry } from '../../../../bin/values/expiry.ts';
import { grace } from '../../../../bin/values/grace.ts';
import { models } from '../../../../bin/values/models.ts';
import { since } from '../../../../bin/values/since.ts';
import { label, slug } from '../../../../bin/values/text.ts';
import { usageGroups } from '../../../../bin/values/usage-groups.ts';
import { readOptions, readPositional } from '../../../../bin/values/value.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 12);
const DAYS_BEFORE_NOW = ['2026-11-22', '2026-11-16', '2026-11-16', '2026-11-23', '2026-02-28'];

function read<T>(kind: z.ZodType<T>, input: unknown): T | 'refused' {
  const result = kind.safeParse(input);
  return result.success ? result.data : 'refused';
}

describe('bin/values', () => {
  it('reads counts as people write them', () => {
    const written = ['0', '250', '100k', '1M', '1.5m', '2G', '007'];
    expect(written.map((text) => readCount(text, MAX_TOKENS))).to.deep.equal([
      0, 250, 100_000, 1_000_000, 1_500_000, 2_000_000_000, 7,
    ]);
  });

  it('reads as a count nothing that is not exactly one', () => {
    for (const text of ['', '-1', '1e3', '0x10', '1.2.3', '1.5', '1,000', 'k', '.', '1kk', '١']) {
      expect(readCount(text, MAX_TOKENS), text).to.equal(undefined);
    }
    expect(readCount('3G', MAX_INTEGER)).to.equal(undefined);
    expect(readCount('1000000000000001', MAX_TOKENS)).to.equal(undefined);
  });

  it('takes a limit away with none, and tells 0 from it', () => {
    expect([read(limit(9), 'none'), read(limit(9), '0'), read(limit(9), '10')]).to.deep.equal([
      null,
      0,
      'refused',
    ]);
  });

  it('knows budgets by day, month and total, and wants the period said', () => {
    expect(read(budget, '1M/month')).to.deep.equal({
      budgetTokens: 1_000_000,
      budgetPeriod: 'month',
    });
    expect(read(budget, 'none')).to.deep.equal({ budgetTokens: null, budgetPeriod: null });
    for (const text of ['1M', '1M/year', '/day', '1M/day/x', 'none/day', '-1/day']) {
      expect(read(budget, text), text).to.equal('refused');
    }
  });

  it('reads models once each, from lists and repetitions', () => {
    expect(read(models, ['a, b:8b', 'b:8b', 'c:*'])).to.deep.equal(['a', 'b:8b', 'c:*']);
    expect(read(models, ['none'])).to.deep.equal([]);
    for (const list of [[''], ['a,,b'], ['a b'], ['*'], ['a:b:*'], ['../x']]) {
      expect(read(models, list), list.join()).to.equal('refused');
    }
    const many = Array.from({ length: 1_001 }, (_, index) => `m${index}`);
    expect(read(models, many)).to.equal('refused');
  });

  it('reads when a key ends', () => {
    const at = (text: string): string => {
      const date = read(expiry(NOW_MS), text);
      return date instanceof Date ? date.toISOString() : String(date);
    };
    expect(at('90d')).to.equal('2027-02-21T12:00:00.000Z');
    expect(at('12h')).to.equal('2026-11-24T00:00:00.000Z');
    expect(at('2027-01-31')).to.equal('2027-01-31T00:00:00.000Z');
    expect(at('2027-01-31T18:00:00+02:00')).to.equal('2027-01-31T16:00:00.000Z');
    expect(at('never')).to.equal('null');
  });

  it('accepts no end in the past, no day that there is not, no time without its zone', () => {
    const wrong = ['2026-11-23', '2027-02-31', '2027-02-31T00:00:00Z', '2027-01-31T18:00:00', '0d'];
    for (const text of [...wrong, '90', '90y', 'soon', '999999w', '', '2027-1-1']) {
      expect(read(expiry(NOW_MS), text), text).to.equal('refused');
    }
  });

  it('reads a beginning as its whole UTC day, in all four forms', () => {
    const texts = ['24h', '7d', '1w', 'today', '2026-02-28'];
    expect(texts.map((text) => read(since(NOW_MS), text))).to.deep.equal(DAYS_BEFORE_NOW);
    expect(read(since(NOW_MS), '99999w')).to.equal('1970-01-01');
    for (const text of ['', '7', '7y', 'd', '2026-02-31', '2999-01-01', '2026-1-1', '-1d']) {
      expect(read(since(NOW_MS), text), text).to.equal('refused');
    }
  });

  it('tells apart by what was named, each once', () => {
    const parsed = usageGroups.parse(['day,key', 'key']);
    expect([...parsed].sort()).to.deep.equal(['day', 'key']);
    expect(usageGroups.safeParse(['day,hour']).success).to.equal(false);
    expect(usageGroups.safeParse(['']).success).to.equal(false);
  });

  it('counts a name in characters and wants it printable', () => {
    expect(read(label(1, 3), '👍👍👍')).to.equal('👍👍👍');
    expect(read(label(1, 3), 'a\u001b[')).to.equal('refused');
    expect(read(label(1, 3), '   ')).to.equal('refused');
    expect(read(slug, 'Acme')).to.equal('refused');
  });

  it('reads a grace in seconds, up to a year, and 0 as none', () => {
    const written = ['0', '90s', '30m', '24h', '7d', '52w', '366d'];
    expect(written.map((text) => read(grace(), text))).to.deep.equal([
      0, 90, 1_800, 86_400, 604_800, 31_449_600, 31_622_400,
    ]);
    for (const text of ['', '-1h', '0h', '24', '1y', '367d', '99999999w', '1.5h', 'never']) {
      expect(read(grace(), text), text).to.equal('refused');
    }
  });

  it('names every option that is wrong, at once', () => {
    const error = catchError(() =>
      readOptions(
        { rpm: limit(5).optional(), budget: budget.optional() },
        { rpm: 'x', budget: 'y' },
      ),
    );
    expect(error.exitCode).to.equal(2);
    expect(error.details.map((line) => line.split(':')[0])).to.deep.equal(['--rpm', '--budget']);
  });

  it('names the argument that is wrong', () => {
    expect(catchError(() => readPositional('NAME', label(1, 3), '')).message).to.match(/^NAME: /);
  });
});

function catchError(act: () => unknown): CommandError {
  try {
    act();
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

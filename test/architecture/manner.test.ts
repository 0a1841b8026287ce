import { expect } from 'chai';
import { readSources } from '../support/source-files.ts';

const all = readSources('lib', 'bin', 'workers', 'test', 'perf');
const self = 'test/architecture/manner.test.ts';

function linesOf(text: string): number {
  return text.split('\n').length - 1;
}

describe('architecture: the manner of the code', () => {
  it('no file outgrows one idea: 250 lines, tests 400', () => {
    const long = all
      .map(({ path, text }) => ({ path, lines: linesOf(text) }))
      .filter(({ path, lines }) => lines > (path.startsWith('test/') ? 400 : 250));
    expect(long).to.deep.equal([]);
  });

  it('the median file of lib has at most 100 lines, and the pipeline fits on a screen', () => {
    const lib = all.filter(({ path }) => path.startsWith('lib/'));
    const sizes = lib.map(({ text }) => linesOf(text)).sort((a, b) => a - b);
    expect(sizes[Math.floor(sizes.length / 2)]).to.be.at.most(100);
    const pipeline = lib.find(({ path }) => path === 'lib/gateway/pipeline.ts');
    expect(linesOf(pipeline?.text ?? '\n'.repeat(61))).to.be.at.most(60);
  });

  it('nothing is silenced: no skipped test, no hidden coverage, no cast through unknown', () => {
    const banned: readonly RegExp[] = [
      /\b(it|describe|context)\.(skip|only)\b/,
      /\bthis\.(skip|retries)\(/,
      /\b(c8|v8|istanbul) ignore\b/,
      /\bas unknown as\b/,
      /@ts-(ignore|expect-error|nocheck)\b/,
      /\bTODO\b|\bFIXME\b/,
    ];
    const found = all
      .filter(({ path }) => path !== self)
      .flatMap(({ path, text }) =>
        banned.filter((what) => what.test(text)).map((what) => `${path}: ${what.source}`),
      );
    expect(found).to.deep.equal([]);
  });

  it('a rule of lint is only switched off with a reason beside it', () => {
    const found = all
      .filter(({ path }) => path !== self)
      .flatMap(({ path, text }) =>
        text
          .split('\n')
          .filter((line) => line.includes('eslint-disable') && !line.includes(' -- '))
          .map((line) => `${path}: ${line.trim()}`),
      );
    expect(found).to.deep.equal([]);
  });

  it('no file is named after nothing in particular', () => {
    const vague = /(utils?|helpers?|managers?|services?|impl|common|misc)\.ts$/i;
    const allowed = 'lib/config/tables/services.ts';
    const found = all
      .map(({ path }) => path)
      .filter((path) => vague.test(path) && path !== allowed);
    expect(found).to.deep.equal([]);
  });
});

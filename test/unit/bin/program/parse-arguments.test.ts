import { expect } from 'chai';
import { CommandError } from '../../../../bin/program/command-error.ts';
import { defineCommand } from '../../../../bin/program/command.ts';
import type { Command } from '../../../../bin/program/command.ts';
import { parseArguments } from '../../../../bin/program/parse-arguments.ts';

const make = defineCommand({
  name: 'make-thing',
  summary: 'Makes.',
  positionals: [
    { name: 'THING', required: true, meaning: 'what' },
    { name: 'PLACE', required: false, meaning: 'where' },
  ],
  options: [
    { name: 'name', placeholder: 'TEXT', meaning: 'a name' },
    { name: 'tags', placeholder: 'A,B', repeatable: true, meaning: 'tags' },
    { name: 'all', negatable: true, meaning: 'all' },
    { name: 'dry', meaning: 'dry' },
    { name: 'wait', placeholder: 'SECONDS', bareValue: '60', meaning: 'wait' },
  ],
  examples: [],
  needs: [],
  run: () => Promise.resolve(0),
});
const COMMANDS: readonly Command[] = [make];

function parse(...argv: readonly string[]): unknown {
  const invocation = parseArguments(argv, COMMANDS);
  if (invocation.kind !== 'run') return invocation;
  return [invocation.positionals, { ...invocation.options }];
}

function fail(...argv: readonly string[]): CommandError {
  try {
    parse(...argv);
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('bin/program/parse-arguments', () => {
  it('leaves every value the text it was: no number, no truth, no emptiness is made of it', () => {
    expect(parse('make-thing', '007', '1e5', '--name', '0x10')).to.deep.equal([
      ['007', '1e5'],
      { name: '0x10' },
    ]);
    expect(parse('make-thing', 'true', '--name', '')).to.deep.equal([
      ['true', undefined],
      { name: '' },
    ]);
    expect(parse('make-thing', 'x', '--name=')).to.deep.equal([['x', undefined], { name: '' }]);
    expect(parse('make-thing', 'x', '--name=-5=')).to.deep.equal([
      ['x', undefined],
      { name: '-5=' },
    ]);
  });

  it('takes no word for the value of a switch, wherever the switch stands', () => {
    const wanted = [['007', undefined], { json: true, dry: true }];
    expect(parse('--json', 'make-thing', '--dry', '007')).to.deep.equal(wanted);
    expect(parse('make-thing', '007', '--dry', '--json')).to.deep.equal(wanted);
  });

  it('finds the command although its name stands elsewhere too', () => {
    expect(parse('--name', 'make-thing', 'make-thing', 'make-thing')).to.deep.equal([
      ['make-thing', undefined],
      { name: 'make-thing' },
    ]);
  });

  it('takes what follows -- as it is', () => {
    expect(parse('make-thing', '--', '--name', '-h')).to.deep.equal([['--name', '-h'], {}]);
  });

  it('collects an option that may be repeated, and only such a one', () => {
    expect(parse('make-thing', 'x', '--tags', 'a', '--tags', 'b')).to.deep.equal([
      ['x', undefined],
      { tags: ['a', 'b'] },
    ]);
    expect(fail('make-thing', 'x', '--name', 'a', '--name', 'b').message).to.include(
      'more than once',
    );
  });

  it('an option that may stand alone takes what is behind "=" and never the next word', () => {
    expect(parse('make-thing', '--wait', 'a')).to.deep.equal([['a', undefined], { wait: '60' }]);
    expect(parse('make-thing', 'a', '--wait=5')).to.deep.equal([['a', undefined], { wait: '5' }]);
  });

  it('knows --no- for switches that say so', () => {
    expect(parse('make-thing', 'x', '--no-all')).to.deep.equal([['x', undefined], { all: false }]);
    expect(fail('make-thing', 'x', '--no-all', '--all').message).to.include('both ways');
    for (const flag of ['--no-dry', '--no-name', '--no-tags', '--no-json']) {
      expect(fail('make-thing', 'x', flag).message, flag).to.equal(`unknown option ${flag}`);
    }
  });

  it('refuses what it does not know, with a guess where one is near', () => {
    expect(fail('make-things').hint).to.equal('did you mean make-thing?');
    expect(fail('zzz').hint).to.equal('nzgw help');
    expect(fail('make-thing', 'x', '--nmae', 'y').hint).to.equal('did you mean --name?');
    expect(fail('make-thing', 'x', '-z').message).to.equal('unknown option -z');
    expect(fail('make-thing', 'x', '-5').message).to.equal('unknown option -5');
    for (const word of ['constructor', '__proto__', 'toString']) {
      expect(fail(word).exitCode, word).to.equal(2);
      expect(fail('make-thing', 'x', `--${word}`, 'y').exitCode, word).to.equal(2);
    }
  });

  it('refuses missing and superfluous words', () => {
    expect(fail('make-thing').message).to.include('needs THING');
    expect(fail('make-thing', 'a', 'b', 'c').message).to.include('"c"');
    expect(fail('make-thing', 'x', '--name').message).to.equal('--name needs a value');
    expect(fail('make-thing', 'x', '--name', '--dry').message).to.equal('--name needs a value');
    expect(fail('make-thing', 'x', '--dry=yes').message).to.equal('--dry takes no value');
    expect(fail('--json').message).to.equal('no command was given');
  });

  it('answers help and version before anything else', () => {
    expect(parse()).to.deep.equal({ kind: 'help', topic: undefined });
    expect(parse('help', 'make-thing')).to.deep.equal({ kind: 'help', topic: 'make-thing' });
    expect(parse('make-thing', '--help')).to.deep.equal({ kind: 'help', topic: 'make-thing' });
    expect(parse('-h')).to.deep.equal({ kind: 'help', topic: undefined });
    expect(parse('make-thing', '-v')).to.deep.equal({ kind: 'version' });
  });

  it('repeats no key that was given as an argument, in whatever place', () => {
    const key = `nz_4fGh2KpQx7Yt_${'s'.repeat(49)}`;
    for (const argv of [
      [key],
      ['make-thing', key],
      ['make-thing', 'x', `--name=${key}`],
      ['--', key],
    ]) {
      const error = fail(...argv);
      expect(error.exitCode).to.equal(2);
      expect(`${error.message} ${error.hint ?? ''}`).not.to.include('4fGh2KpQx7Yt');
    }
  });
});

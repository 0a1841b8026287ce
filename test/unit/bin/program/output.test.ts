import { expect } from 'chai';
import { PassThrough } from 'node:stream';
import { Output } from '../../../../bin/program/output.ts';
import { renderTable, toPrintable } from '../../../../bin/program/table.ts';

describe('bin/program/output', () => {
  it('sets columns under an upper-case header, two spaces apart, nothing cut', () => {
    expect(renderTable(['name', 'n'], [['a long name', '1']])).to.deep.equal([
      'NAME         N',
      'a long name  1',
    ]);
    expect(renderTable(['name', 'n'], [])).to.deep.equal(['NAME  N']);
  });

  it('lets no name steer the terminal', () => {
    expect(toPrintable('a\u001b[31mb\u009bc\nd\u202ee')).to.equal('a?[31mb?c?d?e');
  });

  it('prints one document with --json, and a list with its cursor', () => {
    const { output, stdout } = open({ json: true });
    output.list([{ a: 1 }], (item) => item, { a: (item) => String(item.a) });
    expect(stdout.read()).to.equal('{"data":[{"a":1}],"next_cursor":null}\n');
  });

  it('writes CSV that neither a quote, a comma nor a control character breaks', () => {
    const { output, stdout } = open({});
    output.csv(['plain', 'a "b", c', 'line\nbreak'], { one: (text) => text, two: () => '2' });
    expect(stdout.read()).to.equal('one,two\r\nplain,2\r\n"a ""b"", c",2\r\n"line?break",2\r\n');
  });

  it('speaks to people on stderr only where nobody reads JSON and nobody asked for silence', () => {
    const said = [{}, { json: true }, { quiet: true }].map((options) => {
      const { output, stderr } = open(options);
      output.note('a note');
      return stderr.read() as unknown;
    });
    expect(said).to.deep.equal(['a note\n', null, null]);
  });

  it('takes a reader that has seen enough for the end, and no other fault for one', async () => {
    for (const [code, expected] of [
      ['EPIPE', false],
      ['ENOSPC', 'ENOSPC'],
    ] as const) {
      const { output, stdout } = open({});
      const written = output.line({ text: 'x'.repeat(100_000) }).catch(readCode);
      stdout.destroy(Object.assign(new Error(code), { code }));
      expect(await written).to.equal(expected);
      expect(await output.line({})).to.equal(false);
    }
  });

  it('indents a document for a person at a terminal', () => {
    const stdout = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: true });
    const output = new Output({ stdout, stderr: new PassThrough(), json: true, quiet: false });
    output.answer({ a: 1 }, () => ['never']);
    expect(stdout.read()).to.equal('{\n  "a": 1\n}\n');
  });
});

function readCode(error: unknown): unknown {
  return (error as NodeJS.ErrnoException).code;
}

function open(options: { readonly json?: boolean; readonly quiet?: boolean }): {
  readonly output: Output;
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
} {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const stderr = new PassThrough({ encoding: 'utf8' });
  return {
    output: new Output({ stdout, stderr, json: false, quiet: false, ...options }),
    stdout,
    stderr,
  };
}

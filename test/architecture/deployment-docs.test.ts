import { expect } from 'chai';
import { readConsoleCommands, readHeadings } from '../support/documents.ts';
import { readText } from '../support/monitoring-files.ts';

const PAGE = 'docs/DEPLOYMENT.md';

describe('architecture/deployment-docs', () => {
  it('has a prompt before every command, and a reason before none is left out', async () => {
    const page = await readText(PAGE);
    const [head = ''] = readHeadings(page);
    expect(head).to.match(/^## /);
    for (const heading of readHeadings(page)) {
      for (const { text, notRun } of readConsoleCommands(page, heading)) {
        expect(text, heading).to.not.include('not run');
        if (notRun !== undefined) expect(notRun, text).to.have.length.above(10);
      }
    }
    expect(readConsoleCommands(page, '### Start').length).to.be.above(3);
  });

  it('would not take a line without a prompt, nor a section that is not there', () => {
    const page = '## A\n\n```console\n# one\ntwo\n```\n\n## B\n';
    expect(() => readConsoleCommands(page, '## A')).to.throw('no command with a prompt: two');
    expect(() => readConsoleCommands(page, '## C')).to.throw('has no "## C"');
    expect(readConsoleCommands(page, '## B')).to.deep.equal([]);
    const nested = '## A\n\n### X\n\n```console\n# one # not run: for a reason\n```\n\n## B\n';
    expect(readConsoleCommands(nested, '## A')).to.deep.equal([
      { prompt: '#', text: 'one', notRun: 'for a reason' },
    ]);
  });
});

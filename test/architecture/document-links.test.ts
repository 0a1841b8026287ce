import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../lib/root.ts';
import {
  listCode,
  listLinks,
  readAnchors,
  readDocument,
  readDocuments,
} from '../support/documents.ts';

/** Made by a run, and not kept. */
const MADE = ['perf/results'];
const FOLDERS = 'bin|deploy|docs|lib|perf|sql|test|workers';

describe('architecture/document-links: a reader who follows a document arrives', () => {
  for (const { path, text } of readDocuments()) {
    it(`${path} links to files and sections that are there`, () => {
      for (const link of listLinks(text)) {
        if (/^[a-z]+:/.test(link)) expect(link, 'of the web').to.match(/^https:\/\//);
        else expectThere(path, link);
      }
    });

    it(`${path} names files of ours that are there`, () => {
      const named = new RegExp(`^(?:${FOLDERS})/[\\w./-]+$`);
      for (const code of listCode(text).filter((one) => named.test(one) && !MADE.includes(one))) {
        expect(exists(code), code).to.equal(true);
      }
    });
  }

  it('reads links, or this proves nothing', () => {
    const links = readDocuments().flatMap(({ text }) => listLinks(text));
    expect(links.length).to.be.above(60);
    expect(readAnchors('# A title, of `code`!')).to.deep.equal(['a-title-of-code']);
  });
});

function expectThere(path: string, link: string): void {
  const [target = '', anchor] = link.split('#');
  const page = target === '' ? path : toPath(new URL(target, new URL(path, ROOT)));
  expect(exists(page), `${link} in ${path}`).to.equal(true);
  if (anchor === undefined) return;
  expect(readAnchors(readDocument(page).text), `${link} in ${path}`).to.include(anchor);
}

function exists(path: string): boolean {
  return existsSync(fileURLToPath(new URL(path, ROOT)));
}

function toPath(url: URL): string {
  return url.href.slice(ROOT.href.length);
}

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { toErrorBody } from '../../lib/errors/error-body.ts';
import { GatewayError } from '../../lib/errors/gateway-error.ts';
import { REFUSALS } from '../../lib/errors/refusals.ts';
import type { RefusalCode } from '../../lib/errors/refusals.ts';
import { EXPOSED_HEADERS } from '../../lib/http/cors-headers.ts';
import { matchRoute } from '../../lib/http/routes.ts';
import { OPTION_NAMES } from '../../lib/ollama/requests/read-options.ts';
import { EVENT_HEADERS } from '../../lib/relay/event-head.ts';
import { ROOT } from '../../lib/root.ts';
import { CLIENTS } from '../../bin/connect/clients.ts';
import { readSources } from '../support/source-files.ts';

const PAGE = new URL('docs/API.md', ROOT);

describe('architecture/api-docs: docs/API.md says what the code does', () => {
  let page: string;

  before(async () => {
    page = await readFile(PAGE, 'utf8');
  });

  it('has every refusal with its status and the type that OpenAI clients see, and no other', () => {
    const found = readRows(readSection(page, 'Errors')).map(([status, code, type]) =>
      [status, code, type].join(' '),
    );
    const refusals = Object.entries(REFUSALS).map(
      ([code, status]) => `${status} \`${code}\` \`${readType(code as RefusalCode)}\``,
    );
    expect(found.sort()).to.deep.equal(refusals.sort());
  });

  it('has every route of the table, and none that is not served', async () => {
    const found = readRows(readSection(page, 'Endpoints')).flatMap(([routes = '']) =>
      listCode(routes),
    );
    const source = await readFile(new URL('lib/http/routes.ts', ROOT), 'utf8');
    const table = [...source.matchAll(/^ {2}\['([A-Z]+ \/[^']*)', /gm)].map(([, line]) => line);
    expect(table).to.include('POST /api/chat').and.include('GET /v1/models');
    expect([...found].sort()).to.deep.equal([...table, 'GET /v1/models/{id}'].sort());
    for (const line of found) {
      const [method = '', path = ''] = line.replace('{id}', 'llama3').split(' ');
      expect(matchRoute(method, path).kind, line).to.be.oneOf(['open', 'listing', 'inference']);
    }
  });

  it('calls blocked what is blocked, and not there what is not', () => {
    const section = readSection(page, 'Endpoints');
    const [blocked, missing] = ['**Blocked**', '**Not there**'].map((mark) => {
      const rest = section.slice(section.indexOf(mark));
      return listCode(rest.slice(0, rest.indexOf('\n\n'))).filter((code) => code.startsWith('/'));
    });
    expect(blocked).to.have.length.above(10);
    for (const path of blocked ?? []) {
      expect(matchRoute('POST', path.replace('…', 'x')).kind, path).to.equal('blocked');
    }
    expect(missing).to.include('/v1/responses');
    for (const path of missing ?? []) {
      expect(matchRoute('POST', path.replace('…', 'x')).kind, path).to.equal('unknown');
    }
  });

  it('has every header that a client may be sent', async () => {
    const found = readRows(readSection(page, 'Response headers')).flatMap(([names = '']) =>
      listCode(names),
    );
    const cors = await readFile(new URL('lib/http/cors.ts', ROOT), 'utf8');
    const ofBrowsers = [...cors.matchAll(/'(access-control-(?!request-)[a-z-]+|vary)'/g)];
    const ofEvents = EVENT_HEADERS.filter((_, index) => index % 2 === 0);
    const sent = [...EXPOSED_HEADERS, ...ofEvents, ...ofBrowsers.map(([, name]) => name)];
    expect(ofBrowsers).to.have.length.above(4);
    expect(found).to.include.members(sent);
  });

  it('names every field that a request may have, in either dialect', () => {
    const fields = readSources('lib/ollama/requests', 'lib/openai/requests').flatMap(({ text }) =>
      [...text.matchAll(/(?:knownFields\(|_FIELDS = \[)([^)\]]*)/g)].flatMap(([, list = '']) =>
        [...list.matchAll(/'(\w+)'/g)].map(([, name = '']) => name),
      ),
    );
    expect(fields).to.include.members(['think', 'max_completion_tokens', 'tool_call_id', 'effort']);
    const told = new Set(listCode(page).flatMap((code) => code.split(/\W+/)));
    const untold = [...fields, ...OPTION_NAMES].filter((name) => !told.has(name));
    expect(untold).to.deep.equal([]);
  });

  it('names every client that nzgw connect knows', () => {
    for (const client of CLIENTS.keys()) expect(page).to.include(`\`${client}\``);
  });

  it('links to files and headings that are there', () => {
    const links = [...page.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => toAnchor(text));
    expect(links).to.have.length.above(10);
    const broken = links.filter((link) =>
      link.startsWith('#') ? !headings.includes(link.slice(1)) : !existsSync(new URL(link, PAGE)),
    );
    expect(broken).to.deep.equal([]);
  });

  it('is linked from the map of the README', async () => {
    const readme = await readFile(new URL('README.md', ROOT), 'utf8');
    expect(readSection(readme, 'The map')).to.include('(docs/API.md)');
  });
});

/** From its heading to the next of its level. */
function readSection(page: string, heading: string): string {
  const [, section] = page.split(`\n## ${heading}\n`);
  expect(section, heading).to.be.a('string');
  return (section ?? '').split('\n## ')[0] ?? '';
}

/** Cells of all tables, without their heads. */
function readRows(section: string): readonly (readonly string[])[] {
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  const rows = lines.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
  return rows.filter(
    ([first], index) => !/^-+$/.test(first ?? '') && !/^-+$/.test(rows[index + 1]?.[0] ?? ''),
  );
}

/** What stands in backticks, blocks of code apart. */
function listCode(text: string): readonly string[] {
  const prose = text.replaceAll(/^```[^]*?^```$/gm, '');
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

function readType(code: RefusalCode): string {
  const body = JSON.parse(toErrorBody(new GatewayError(code, ''), 'openai')) as {
    readonly error: { readonly type: string };
  };
  return body.error.type;
}

/** As GitHub makes them. */
function toAnchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

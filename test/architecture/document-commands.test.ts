import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { COMMANDS } from '../../bin/program/commands.ts';
import { parseArguments } from '../../bin/program/parse-arguments.ts';
import { SETTINGS } from '../../lib/config/settings.ts';
import { ROOT } from '../../lib/root.ts';
import {
  listCode,
  listCommandBlocks,
  listCommands,
  readDocument,
  readDocuments,
} from '../support/documents.ts';

/** What runs the command blocks of a page, to the letter. CLI.md has examples, which are only parsed. */
const FOLLOWED: Readonly<Record<string, readonly string[]>> = {
  'README.md': ['test/e2e/documents-followed.test.ts'],
  'docs/API.md': ['test/e2e/documents-followed.test.ts'],
  'docs/DEPLOYMENT.md': ['test/deploy/systemd/inside/document.ts', 'test/deploy/compose/stack.ts'],
  'docs/OPERATIONS.md': ['test/deploy/systemd/inside/backup-checks.ts'],
};
const PARSED = 'docs/CLI.md';

/** Names that look like settings and belong to others: who reads them. */
const OF_OTHERS: Readonly<Record<string, string>> = {
  NZGW_API_KEY: 'bin/connect/libraries.ts',
  NZGW_ENV_FILE: 'lib/config/read-sources.ts',
  NZGW_TEST_ROUNDS: 'test/support/rounds.ts',
  NZGW_CADDY_MAX_BODY: 'deploy/Caddyfile',
  NZGW_CADDY_RELEASE: 'deploy/Caddyfile',
  NZGW_CADDY_TLS: 'deploy/Caddyfile',
  NZGW_DOMAIN: 'deploy/Caddyfile',
  REDIS_TOPOLOGY: 'test/support/redis-topology.ts',
  OLLAMA_NO_CLOUD: 'deploy/systemd/ollama.service.d/nzgw.conf',
  OLLAMA_HOST: 'deploy/systemd/ollama.service.d/nzgw.conf',
  NZGW_FRONT_PREFIX: 'docker-compose.yml',
  NZGW_MEMORY: 'docker-compose.yml',
  NZGW_POSTGRES_MEMORY: 'docker-compose.yml',
  NZGW_REDIS_MEMORY: 'docker-compose.yml',
  NZGW_REDIS_MAXMEMORY: 'docker-compose.yml',
  NZGW_OLLAMA_MEMORY: 'docker-compose.yml',
  OLLAMA_IMAGE: 'docker-compose.yml',
};

/** Settings of Ollama that only Ollama reads. */
const OF_OLLAMA = ['OLLAMA_KEEP_ALIVE', 'OLLAMA_NUM_PARALLEL'];

const scripts = Object.keys(
  (
    JSON.parse(readFileSync(fileURLToPath(new URL('package.json', ROOT)), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>;
    }
  ).scripts,
);

describe('architecture/document-commands: what a document tells to type can be typed', () => {
  for (const { path, text } of readDocuments()) {
    const commands = listCommandBlocks(text).flatMap(listCommands);
    const code = [...listCode(text), ...commands.map((command) => command.text)];

    it(`${path} has only commands of nzgw, with options, that there are`, () => {
      for (const line of commands.flatMap((command) => findCalls(command.text))) {
        expect(() => parseArguments(line, COMMANDS), line.join(' ')).not.to.throw();
      }
      for (const words of listCode(text).flatMap(findCalls)) expectKnownWords(words);
    });

    it(`${path} has only scripts of npm that package.json has`, () => {
      const named = code.flatMap((line) => [...line.matchAll(/\bnpm (?:run )?([a-z][\w:-]*)/g)]);
      const own = named.filter(
        ([whole, name = '']) => whole.startsWith('npm run') || isShort(name),
      );
      for (const [, name] of own) expect(scripts).to.include(name);
    });

    it(`${path} has only settings that are read`, () => {
      const names = Object.values(SETTINGS).map(({ name }) => name);
      const known = new Set([...OF_OLLAMA, ...names, ...names.map((name) => `${name}_FILE`)]);
      for (const [name] of text.matchAll(
        /\b(?:NZGW|OLLAMA|MODEL|REDIS|DATABASE)_[A-Z][A-Z0-9_]*\b/g,
      )) {
        const reader = OF_OTHERS[name];
        if (reader === undefined) expect(known.has(name), name).to.equal(true);
        else expect(readDocument(reader).text).to.include(name);
      }
    });

    it(`${path} has only commands that a test runs, or says why not`, () => {
      if (path === PARSED) return;
      const followers = FOLLOWED[path] ?? [];
      for (const command of commands.filter(({ notRun }) => notRun === undefined)) {
        expect(followers, command.text).not.to.deep.equal([]);
      }
      for (const follower of followers) expect(readDocument(follower).text).to.include(path);
    });
  }
});

/** `npm start` and `npm test` need no "run". */
function isShort(name: string): boolean {
  return name === 'start' || name === 'test';
}

/** The arguments of each call of nzgw in a command, up to where the shell ends it. */
function findCalls(line: string): readonly (readonly string[])[] {
  return splitAtOperators(line.replaceAll('\\\n', ' '))
    .map((part) => [...part.matchAll(/"([^"]*)"|[^\s"]+/g)].map(([word, quoted]) => quoted ?? word))
    .flatMap((words) => {
      const program = words.findIndex(
        (word, index) => /(?:^|\/)nzgw(?:\.js)?$/.test(word) && isRun(words[index - 1]),
      );
      return program === -1 || program === words.length - 1 ? [] : [words.slice(program + 1)];
    });
}

/** Whether what stands behind a word is a program that is run, and no argument. */
function isRun(before: string | undefined): boolean {
  return before === undefined || ['npx', 'node', '--', '--rm'].includes(before);
}

function splitAtOperators(line: string): readonly string[] {
  return line.split(/[|;&()<>]|\s#\s|\n/);
}

/** In prose a call may lack what it needs; what is there must be right. */
function expectKnownWords([name = '', ...rest]: readonly string[]): void {
  if (name === 'help' || !/^[a-z][a-z-]*$/.test(name)) return;
  const command = COMMANDS.find((candidate) => candidate.name === name);
  expect(command, `nzgw ${name}`).not.to.equal(undefined);
  const options = [
    ...(command?.options ?? []).map((option) => option.name),
    'json',
    'env-file',
    'help',
    'quiet',
  ];
  for (const word of rest.filter((candidate) => candidate.startsWith('--'))) {
    expect(options, `nzgw ${name} ${word}`).to.include(word.slice(2).replace(/=.*/, ''));
  }
}

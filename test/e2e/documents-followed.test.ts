import { expect } from 'chai';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../lib/root.ts';
import { listCommandBlocks, listCommands, readDocument } from '../support/documents.ts';
import { startFakeOllama } from '../support/fake-ollama.ts';
import type { FakeOllama } from '../support/fake-ollama.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const START = fileURLToPath(new URL('bin/bootstrap/start.mjs', ROOT));
const { PATH, HOME = '/' } = process.env;

/** What `npm start` says at last, and all that a reader sees of it. */
interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly key: string;
}

/**
 * The commands of the documents, as they stand, in the package's folder. Other than in the documents
 * are only the port, which may be taken here, the folder of the private servers, so that a
 * developer's own is left alone, and K, which stands for a key from the list.
 */
describe('e2e: the documents, followed to the letter', function () {
  this.timeout(120_000);
  let directory: TemporaryDirectory;
  let ollama: FakeOllama;
  let started: Started;

  before(async () => {
    directory = await makeTemporaryDirectory('docs');
    // Postgres runs as another user where we are root, and must be able to pass.
    chmodSync(directory.path, 0o711);
    ollama = await startFakeOllama({
      models: ['llama3:latest', 'qwen3:8b'].map((name) => ({ name })),
      always: { tokens: 3, text: 'word ' },
    });
    started = await start(directory.path, ollama.url);
  });
  after(async () => {
    const ended = new Promise((resolve) => started.child.once('close', resolve));
    started.child.kill('SIGTERM');
    await ended;
    await ollama.close();
    await directory.remove();
  });

  it('README.md: `npm start` and `npm test` begin it, and run in a test of their own', () => {
    const alone = readBlocks('README.md').filter((lines) =>
      /^npm (start|test)$/.test(lines.join()),
    );
    expect(alone).to.deep.equal([['npm start'], ['npm test']]);
  });

  it('README.md: a first tenant, key and request; a key is rotated and revoked', async () => {
    const [block = []] = readBlocks('README.md').filter((lines) =>
      lines[0]?.includes('create-tenant'),
    );
    const output = await follow([...block.slice(0, 4)]);
    expect(output).to.include('"content":"word "').and.include('"done":true');
    const prefix = await readPrefix('laptop');
    expect(output).to.include(prefix);
    const rest = block.slice(4);
    expect(rest).to.have.length(2);
    const last = await follow(rest, prefix);
    expect(last).to.match(/^nz_/m);
    expect(await follow(['npx nzgw list-keys --env-file .nzgw/env'])).to.match(/revoked.*laptop/);
  });

  it('README.md: the same model in the dialect of OpenAI, and settings for clients', async () => {
    const [block = []] = readBlocks('README.md').filter((lines) =>
      lines.join().includes('/v1/chat'),
    );
    const output = await follow(block);
    expect(output)
      .to.include('"object":"chat.completion"')
      .and.include("os.environ['NZGW_API_KEY']");
  });

  it('README.md: limits, what a key would get, what runs, where the tokens went', async () => {
    const [block = []] = readBlocks('README.md').filter((lines) =>
      lines[0]?.includes('update-key'),
    );
    await follow(['npx nzgw create-key acme-inc --name desk --env-file .nzgw/env']);
    const output = await follow(block, await readPrefix('desk'));
    expect(output)
      .to.match(/llama3/)
      .and.match(/1,?000,?000|1M/);
  });

  it('docs/API.md: the key by stdin, in either dialect', async () => {
    const blocks = readBlocks('docs/API.md');
    expect(blocks.map((lines) => lines.length)).to.deep.equal([1, 2]);
    const type = `printf '%s\\n' "$KEY" > "$DOCS/key"; exec < "$DOCS/key"`;
    const output = await follow([type, ...blocks.flat()]);
    expect(output).to.include('"done":true').and.include('"object":"chat.completion"');
  });

  function readBlocks(path: string): readonly (readonly string[])[] {
    return listCommandBlocks(readDocument(path).text).map((block) =>
      listCommands(block)
        .filter(({ notRun }) => notRun === undefined)
        .map((command) => command.text),
    );
  }

  /** Runs the lines in one shell that ends at the first failure, and returns what they printed. */
  async function follow(lines: readonly string[], key = ''): Promise<string> {
    const script = lines
      .join('\n')
      .replaceAll('.nzgw/env', `${directory.path}/env`)
      .replaceAll('http://127.0.0.1:8080', started.url)
      .replaceAll(/(?<=-key |explain )K(?= )/g, key);
    const child = spawn('bash', ['-e', '-o', 'pipefail', '-c', script], {
      cwd: fileURLToPath(ROOT),
      env: { PATH, HOME, KEY: started.key, DOCS: directory.path },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    const [stdout, stderr, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      ended,
    ]);
    expect(code, `${script}\n${stdout}\n${stderr}`).to.equal(0);
    return stdout;
  }

  async function readPrefix(name: string): Promise<string> {
    const list = await follow(['npx nzgw list-keys --json --env-file .nzgw/env']);
    const { data } = JSON.parse(list) as {
      readonly data: readonly { readonly name: string; readonly prefix: string }[];
    };
    return data.find((row) => row.name === name)?.prefix ?? '';
  }
});

/** What `npm start` runs, with options. */
async function start(folder: string, ollamaUrl: string): Promise<Started> {
  const options = ['--data-dir', folder, '--ollama', ollamaUrl, '--json'];
  const child = spawn(process.execPath, [START, ...options], {
    cwd: fileURLToPath(ROOT),
    env: { PATH, HOME },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => (said[name] += chunk));
  }
  const answer = await until(
    () => {
      if (child.exitCode !== null) throw new Error(said.stderr);
      return said.stdout.endsWith('\n') && said.stdout;
    },
    { withinMs: 60_000, what: 'npm start to have proved itself' },
  );
  return { child, ...(JSON.parse(answer) as { readonly url: string; readonly key: string }) };
}

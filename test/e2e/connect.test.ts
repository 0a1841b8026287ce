import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { CLIENTS } from '../../bin/connect/clients.ts';
import { ROOT } from '../../lib/root.ts';
import { startStack } from '../support/stack.ts';
import type { Stack } from '../support/stack.ts';

const run = promisify(execFile);

describe('e2e: what nzgw connect prints works as it is', function () {
  this.timeout(30_000);
  let stack: Stack;

  before(async () => {
    stack = await startStack({ workers: 1 });
  });
  after(() => stack.stop());

  it('the code for Ollama’s library chats, with the key in the environment alone', async () => {
    const { key } = await stack.makeCaller();
    const text = CLIENTS.get('ollama')?.({ url: stack.gateway.url, model: 'llama3' }) ?? '';
    const code = text.slice(text.indexOf('// JavaScript'));
    stack.ollama.next({ tokens: 2, text: 'ab' });
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code], {
      cwd: fileURLToPath(ROOT),
      env: { NZGW_API_KEY: key },
      timeout: 20_000,
    });
    expect(stdout).to.equal('abab\n');
  });
});

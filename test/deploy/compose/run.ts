import { mkdir, rm, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../../lib/root.ts';
import { makeClientNetwork } from './client-network.ts';
import type { ClientNetwork } from './client-network.ts';
import { checkContainers } from './container-checks.ts';
import { startEngine } from './engine.ts';
import type { Engine } from './engine.ts';
import { keepHostNetwork } from './host-network.ts';
import { makeBaseImage, makeStandIns } from './images.ts';
import { checkLife } from './life-checks.ts';
import { checkNetworks } from './network-checks.ts';
import { check, countFailures, demandCheck, ensure } from './record.ts';
import { checkRequests } from './request-checks.ts';
import { ask, prepareCurl } from './requests.ts';
import { openStack } from './stack.ts';
import type { Stack } from './stack.ts';
import { installTools } from './tools.ts';

// node test/deploy/compose/run.ts, as root: follows "Docker Compose" of docs/DEPLOYMENT.md with podman in
// the place of Docker, and looks whether it does what it should. Exits with 0 if all was seen.

/** Images are kept here from one run to the next; everything else of a run is removed. */
const FOLDER = fileURLToPath(new URL('.nzgw/deploy/compose', ROOT));

/** What was made is removed in the opposite order, also after a failure. */
const removals: (() => Promise<void>)[] = [];

async function removeAll(): Promise<void> {
  for (const remove of removals.splice(0).reverse()) {
    await remove().catch((error: unknown) => {
      process.stdout.write(`FAIL to remove what was made: ${String(error)}\n`);
      process.exitCode = 1;
    });
  }
}

async function prepare(): Promise<{ readonly stack: Stack; readonly client: ClientNetwork }> {
  await mkdir(FOLDER, { recursive: true });
  await demandCheck('tools of containers', installTools);
  const restore = await keepHostNetwork();
  removals.push(async () => {
    await check('the network of the host is as it was', restore);
  });
  const engine: Engine = await startEngine(FOLDER);
  removals.push(() => engine.stop());
  await demandCheck('the base image', () => makeBaseImage(FOLDER, engine.env));
  await demandCheck('stand-ins', () => makeStandIns(FOLDER, engine.env));
  const client = await makeClientNetwork();
  removals.push(() => client.remove());
  const stack = await openStack(engine, `${FOLDER}/clone`);
  removals.push(async () => {
    await stack.down();
    await rm(stack.folder, { recursive: true, force: true });
  });
  return { stack, client };
}

async function look({ stack, client }: Awaited<ReturnType<typeof prepare>>): Promise<void> {
  const follow = (heading: string): Promise<void> =>
    demandCheck(`the document: ${heading}`, async () => {
      await stack.follow(heading);
      return '';
    });
  await follow('### The stack');
  await checkContainers(stack);
  await follow('### A model for the stack');
  await check('what pull fetched lies where Ollama reads it', async () => {
    const models = await stack.inside('ollama', 'ollama', 'list');
    ensure(models.includes('llama3.2'), models);
    return '';
  });
  await prepareCurl(stack);
  await follow('### A first key from the stack');
  const key = (
    await stack.compose('run', '--rm', '-T', 'nzgw', 'create-key', 'acme-inc', '--name', 'test')
  ).trim();
  await checkNetworks(stack, client);
  await checkRequests(stack, client, key);
  await checkLife(stack, client, key);
  await follow('### The stack day by day');
  await check(
    'a dump brought back has keys and ledger as they were, and others cannot read it',
    async () => {
      await stack.follow('### A dump brought back');
      const { text } = await ask(stack, client, { key, path: '/api/v1/key' });
      ensure(/^HTTP\/\S+ 200/.test(text), text);
      const { mode } = await stat(`${stack.folder}/nzgw.dump`);
      ensure((mode & 0o077) === 0, `others can read the dump: ${(mode & 0o777).toString(8)}`);
      return '';
    },
  );
  await follow('### Another version of the stack');
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void removeAll().finally(() => process.exit(1));
  });
}
try {
  await look(await prepare());
} catch (error) {
  process.stdout.write(`FAIL ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await removeAll();
}
if (countFailures() > 0) process.exitCode = 1;

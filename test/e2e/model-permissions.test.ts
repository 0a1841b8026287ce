import { expect } from 'chai';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';

const PROMPT = { prompt: 'hi', stream: false };

describe('e2e: a key sees and uses its effective set, nothing else', function () {
  this.timeout(30_000);
  let stack: Stack;

  before(async () => {
    stack = await startStack();
  });
  after(() => stack.stop());

  async function listNames(caller: MadeKey): Promise<readonly string[]> {
    const response = await fetch(`${stack.gateway.url}/api/tags`, {
      headers: { 'x-api-key': caller.key },
    });
    expect(response.status).to.equal(200);
    const { models } = (await response.json()) as { models: { name: string }[] };
    return models.map(({ name }) => name).sort();
  }

  it('a tenant that was given nothing may use nothing', async () => {
    const tenant = await stack.makeTenant({ allowAllModels: false });
    const caller = await stack.makeKey(tenant);
    expect(await listNames(caller)).to.deep.equal([]);
    const response = await post(`${stack.gateway.url}/api/generate`, caller.key, {
      model: 'llama3',
      ...PROMPT,
    });
    expect(response.status).to.equal(403);
  });

  it('a default-deny tenant sees what it was given and the upstream has', async () => {
    const tenant = await stack.makeTenant({
      allowAllModels: false,
      allowedModels: ['llama3', 'not-installed'],
    });
    const caller = await stack.makeKey(tenant);
    expect(await listNames(caller)).to.deep.equal(['llama3:latest']);
  });

  it('an allow-all tenant sees everything, a key with a list only its own', async () => {
    const tenant = await stack.makeTenant();
    const wide = await stack.makeKey(tenant);
    const narrow = await stack.makeKey(tenant, { allowedModels: ['qwen3:*'] });
    expect(await listNames(wide)).to.deep.equal([
      'llama3:latest',
      'nomic-embed-text:latest',
      'qwen3:8b',
    ]);
    expect(await listNames(narrow)).to.deep.equal(['qwen3:8b']);
  });

  it('a model outside is refused alike whether it exists or not', async () => {
    const tenant = await stack.makeTenant({ allowAllModels: false, allowedModels: ['llama3'] });
    const caller = await stack.makeKey(tenant);
    const [there, nowhere] = await Promise.all(
      ['qwen3:8b', 'no-such-model'].map((model) =>
        post(`${stack.gateway.url}/api/generate`, caller.key, { model, ...PROMPT }),
      ),
    );
    expect([there?.status, nowhere?.status]).to.deep.equal([403, 403]);
    expect(await there?.text()).to.equal(await nowhere?.text());

    const rows = await stack.readAudit(caller.keyId, 2);
    for (const row of rows) {
      expect(row).to.include({
        status: 403,
        outcome: 'refused',
        refusal_code: 'model_not_allowed',
      });
    }
  });

  it('every spelling of a name is the same model', async () => {
    const caller = await stack.makeCaller();
    for (const model of [
      'LLaMA3',
      ' llama3 ',
      'library/llama3',
      'registry.ollama.ai/library/llama3:latest',
    ]) {
      const response = await post(`${stack.gateway.url}/api/generate`, caller.key, {
        model,
        ...PROMPT,
      });
      expect(response.status, model).to.equal(200);
      await response.text();
      const sent = JSON.parse(stack.ollama.inferences.at(-1)?.body ?? '') as { model: string };
      expect(sent.model).to.equal('llama3:latest');
    }
  });

  it('show tells of a model what a caller may know', async () => {
    const caller = await stack.makeCaller();
    const response = await post(`${stack.gateway.url}/api/show`, caller.key, { model: 'llama3' });
    expect(response.status).to.equal(200);
    const show = (await response.json()) as object;
    expect(show).to.not.have.any.keys('modelfile', 'system', 'template', 'license', 'messages');
    expect(show).to.include.keys('details');
  });

  it('ps and version answer in the shape that Ollama clients read', async () => {
    const caller = await stack.makeCaller();
    const headers = { authorization: `Bearer ${caller.key}` };
    const running = await fetch(`${stack.gateway.url}/api/ps`, { headers });
    expect(await running.json())
      .to.have.property('models')
      .that.is.an('array');
    const version = await fetch(`${stack.gateway.url}/api/version`, { headers });
    expect(await version.json())
      .to.have.property('version')
      .that.matches(/^\d/);
  });
});

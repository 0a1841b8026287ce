import { expect } from 'chai';
import { makeKey } from '../../lib/auth/key-format.ts';
import { FAKE_MODELS } from '../support/fake-script.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';

const NAMESPACED = 'acme/coder:7b';
const REMOTE = 'hf.co/user/model:Q4_K_M';

interface Listed {
  readonly id: string;
}

describe('e2e: an OpenAI client sees the models that its key may use', function () {
  this.timeout(30_000);
  let stack: Stack;
  let narrow: MadeKey;
  let wide: MadeKey;

  before(async () => {
    stack = await startStack({
      ollama: { models: [...FAKE_MODELS, { name: NAMESPACED }, { name: REMOTE }] },
    });
    narrow = await stack.makeKey(
      await stack.makeTenant({
        allowAllModels: false,
        allowedModels: ['llama3', NAMESPACED, 'not-installed'],
      }),
    );
    wide = await stack.makeCaller();
  });
  after(() => stack.stop());

  function ask(path: string, key?: string): Promise<Response> {
    const headers: Record<string, string> = key === undefined ? {} : { 'x-api-key': key };
    return fetch(`${stack.gateway.url}${path}`, { headers });
  }

  async function readError(response: Response): Promise<Record<string, unknown>> {
    const body = (await response.json()) as { error: Record<string, unknown> };
    expect(body.error).to.have.all.keys('message', 'type', 'param', 'code');
    return body.error;
  }

  it('lists the effective set and nothing else, on one page', async () => {
    const response = await ask('/v1/models?limit=1000', narrow.key);
    expect(response.status).to.equal(200);
    expect(response.headers.get('content-type')).to.equal('application/json');
    const page = (await response.json()) as Record<string, unknown> & { data: Listed[] };
    const ids = page.data.map(({ id }) => id);
    expect([...ids].sort()).to.deep.equal([NAMESPACED, 'llama3:latest']);
    expect(page).to.include({
      object: 'list',
      has_more: false,
      first_id: ids[0],
      last_id: ids[1],
    });
    expect(page.data.find(({ id }) => id === NAMESPACED)).to.deep.equal({
      id: NAMESPACED,
      object: 'model',
      created: 1_767_225_600,
      owned_by: 'acme',
      type: 'model',
      display_name: NAMESPACED,
      created_at: '2026-01-01T00:00:00Z',
    });
  });

  it('a key that may use nothing gets an empty list, not null', async () => {
    const nobody = await stack.makeKey(await stack.makeTenant({ allowAllModels: false }));
    const response = await ask('/v1/models', nobody.key);
    expect(response.status).to.equal(200);
    expect(await response.json())
      .to.include({ first_id: null, last_id: null })
      .and.deep.include({
        data: [],
      });
  });

  it('retrieves a model by every spelling of its id, encoded or not, and tells the one that was asked for', async () => {
    const spellings = [
      ['llama3', 'llama3', 'library'],
      ['llama3:latest', 'llama3:latest', 'library'],
      ['LLAMA3%3Alatest', 'LLAMA3:latest', 'library'],
      ['registry.ollama.ai/library/llama3', 'registry.ollama.ai/library/llama3', 'library'],
      [NAMESPACED, NAMESPACED, 'acme'],
      [encodeURIComponent(NAMESPACED), NAMESPACED, 'acme'],
      [REMOTE, REMOTE, 'user'],
      [encodeURIComponent(REMOTE), REMOTE, 'user'],
    ] as const;
    for (const [spelling, id, owner] of spellings) {
      const response = await ask(`/v1/models/${spelling}`, wide.key);
      expect(response.status, spelling).to.equal(200);
      expect(await response.json()).to.include({ id, object: 'model', owned_by: owner });
    }
  });

  it('a model outside the set is refused alike whether it exists or not', async () => {
    const refusals = await Promise.all(
      ['qwen3:8b', 'no-such-model', '%2e%2e%2fllama3', 'llama3%252Flatest', '%00'].map(
        async (id) => {
          const response = await ask(`/v1/models/${id}`, narrow.key);
          expect(response.status, id).to.equal(403);
          return readError(response);
        },
      ),
    );
    for (const refusal of refusals) expect(refusal).to.deep.equal(refusals[0]);
    expect(refusals[0]).to.include({ code: 'model_not_allowed', param: 'model' });

    const rows = await stack.readAudit(narrow.keyId, refusals.length);
    for (const row of rows) {
      expect(row).to.include({ dialect: 'openai', endpoint: 'model', outcome: 'refused' });
      expect(row['model']).to.equal(null);
    }
  });

  it('what is no id is no route, and the refusal names those that are', async () => {
    for (const id of ['%ff', '%2', 'a/b/c/d', 'a;b', '']) {
      const response = await ask(`/v1/models/${id}`, wide.key);
      expect(response.status, id).to.equal(404);
      const { code, message } = await readError(response);
      expect(code).to.equal('not_found');
      expect(message).to.include('/v1/chat/completions').and.to.include('/v1/models');
      expect(message).to.not.include('/api/');
    }
  });

  it('without a key, and with a wrong one, it is the 401 that OpenAI clients know', async () => {
    for (const path of ['/v1/models', '/v1/models/llama3', '/v1/models/nowhere', '/v1/nowhere']) {
      for (const key of [undefined, makeKey().key]) {
        const response = await ask(path, key);
        expect(response.status, path).to.equal(401);
        expect(await readError(response)).to.include({ code: 'invalid_api_key', param: null });
      }
    }
  });

  it('asks nothing of an upstream', () => {
    expect(stack.ollama.inferences).to.have.length(0);
  });
});

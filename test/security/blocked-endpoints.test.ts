import { expect } from 'chai';
import { exchangeRaw } from '../support/raw-client.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';

/** What Ollama can do beside answering: change, sign in, ask the cloud, tell of itself. */
const FUNCTIONS = [
  '/api/pull',
  '/api/push',
  '/api/create',
  '/api/copy',
  '/api/delete',
  '/api/blobs/sha256:0000',
  '/api/me',
  '/api/signin',
  '/api/signout',
  '/api/user/keys/0000',
  '/api/experimental/web_fetch',
  '/api/experimental/web_search',
  '/api/experimental/aliases',
  '/api/web_fetch',
  '/api/web_search',
  '/api/status',
  '/debug/pprof/heap',
  '/v1/messages',
  '/v1/responses',
  '/v1/images/generations',
  '/v1/audio/transcriptions',
] as const;

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'] as const;

/** Ways to write a path that Ollama's router, or something before it, may take for the plain one. */
const SPELLINGS: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => `${path}?x=/api/chat`,
  (path) => `${path}/`,
  (path) => `/${path}`,
  (path) => `/.${path}`,
  (path) => `/api/chat/..${path}`,
  (path) => `/%61${path.slice(2)}`,
  (path) => `${path.slice(0, -1)}%${path.charCodeAt(path.length - 1).toString(16)}`,
  (path) => path.toUpperCase(),
  (path) => `${path};x=1`,
  (path) => path.replaceAll('/', '\\'),
  (path) => `http://gateway${path}`,
];

/** All that discovery asks, and nothing else is ever sent by itself. */
const DISCOVERY = ['GET /api/ps', 'GET /api/tags', 'GET /api/version', 'POST /api/show'];

/** The whole product with a key that may do everything: promise 5 of the gateway, at the upstream. */
describe('security: functions of Ollama that nobody may use', function () {
  this.timeout(60_000);
  let stack: Stack;
  let caller: MadeKey;

  before(async () => {
    stack = await startStack({ workers: 1 });
    caller = await stack.makeCaller();
  });
  after(() => stack.stop());

  for (const path of FUNCTIONS) {
    it(`${path} is refused in every spelling, with every method`, async () => {
      const port = Number(new URL(stack.gateway.url).port);
      const seen = stack.ollama.inferences.length;
      await Promise.all(
        SPELLINGS.map(async (spell) => {
          for (const method of METHODS) {
            const body = method === 'GET' || method === 'HEAD' ? '' : '{"model":"llama3"}';
            const client = await exchangeRaw(
              port,
              [
                `${method} ${spell(path)} HTTP/1.1`,
                'Host: gateway',
                'Connection: close',
                `Authorization: Bearer ${caller.key}`,
                `Content-Length: ${body.length}`,
              ],
              body,
            );
            expect(client.status, `${method} ${spell(path)}`).to.be.oneOf([400, 403, 404]);
          }
        }),
      );
      expect(stack.ollama.inferences).to.have.length(seen);
    });
  }

  it('and all that the upstream ever saw is what the gateway asks of itself', () => {
    const asked = new Set(stack.ollama.requests.map(({ method, path }) => `${method} ${path}`));
    expect([...asked].sort()).to.deep.equal(DISCOVERY);
  });
});

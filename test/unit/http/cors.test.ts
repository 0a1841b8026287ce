import { expect } from 'chai';
import { openFront } from '../../support/open-front.ts';
import { exchangeRaw, head } from '../../support/raw-client.ts';

const PAGE = 'https://chat.example.com';
const ASK = 'Access-Control-Request-Method: POST';

interface Answer {
  readonly status: number;
  /** Only what CORS has to do with. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What the first step of a gateway answers. */
async function ask(
  corsOrigins: readonly string[] | undefined,
  line: string,
  ...headers: readonly string[]
): Promise<Answer> {
  const front = await openFront({ settings: corsOrigins === undefined ? {} : { corsOrigins } });
  try {
    const client = await exchangeRaw(front.port, head(line, ...headers));
    const lines = client.text.split('\r\n\r\n', 1)[0]?.split('\r\n') ?? [];
    const pairs = lines.flatMap((text) => {
      const [, name = '', value = ''] = /^(vary|access-control-[\w-]+): (.*)$/i.exec(text) ?? [];
      return name === '' ? [] : [[name.toLowerCase(), value] as const];
    });
    return { status: client.status, headers: Object.fromEntries(pairs) };
  } finally {
    await front.close();
  }
}

describe('http/cors', () => {
  it('is off without the setting: an origin changes nothing, and OPTIONS is no route', async () => {
    expect(await ask(undefined, 'GET /healthz', `Origin: ${PAGE}`)).to.deep.equal({
      status: 200,
      headers: {},
    });
    expect(await ask(undefined, 'OPTIONS /api/chat', `Origin: ${PAGE}`, ASK)).to.deep.equal({
      status: 404,
      headers: {},
    });
  });

  it('lets the page of a listed origin read, in whatever case it is named', async () => {
    for (const origin of [PAGE, 'https://CHAT.example.com']) {
      const { status, headers } = await ask([PAGE], 'GET /healthz', `Origin: ${origin}`);
      expect(status).to.equal(200);
      expect(headers).to.include({ vary: 'Origin', 'access-control-allow-origin': PAGE });
      expect(headers['access-control-expose-headers']).to.include('retry-after-ms');
      expect(headers).to.not.have.property('access-control-allow-credentials');
    }
  });

  it('serves any other origin as anyone, without a word to its page', async () => {
    for (const origin of [
      'https://evil.example',
      `${PAGE}.evil.example`,
      `${PAGE}:8443`,
      'http://chat.example.com',
      `${PAGE}/`,
      `${PAGE}, https://evil.example`,
      'null',
    ]) {
      const { status, headers } = await ask([PAGE], 'GET /healthz', `Origin: ${origin}`);
      expect([status, headers], origin).to.deep.equal([200, { vary: 'Origin' }]);
      const preflight = await ask([PAGE], 'OPTIONS /healthz', `Origin: ${origin}`, ASK);
      expect(preflight, origin).to.deep.equal({ status: 404, headers: { vary: 'Origin' } });
    }
    expect((await ask([PAGE], 'GET /healthz')).headers).to.deep.equal({ vary: 'Origin' });
  });

  it('a preflight is answered alike for every path, so that it tells of none', async () => {
    const wanted = {
      vary: 'Origin',
      'access-control-allow-origin': PAGE,
      'access-control-allow-methods': 'GET, POST, HEAD, OPTIONS',
      'access-control-max-age': '600',
    };
    for (const target of ['/api/chat', '/api/pull', '/nowhere', '/v1/../x', '//', '*']) {
      const { status, headers } = await ask([PAGE], `OPTIONS ${target}`, `Origin: ${PAGE}`, ASK);
      expect(status, target).to.equal(204);
      expect(headers, target).to.include(wanted);
      expect(headers, target).to.not.have.property('access-control-allow-headers');
    }
  });

  it('only OPTIONS that names a method is a preflight', async () => {
    const plain = await ask([PAGE], 'OPTIONS /api/chat', `Origin: ${PAGE}`);
    const post = await ask([PAGE], 'GET /nowhere', `Origin: ${PAGE}`, ASK);
    const stranger = await ask([PAGE], 'OPTIONS /api/chat', ASK);
    expect([plain.status, post.status, stranger.status]).to.deep.equal([404, 404, 404]);
    expect(plain.headers).to.include({ 'access-control-allow-origin': PAGE });
  });

  it('allows the headers that SDKs send, in its own words, and no other', async () => {
    const { headers } = await ask(
      [PAGE],
      'OPTIONS /v1/chat/completions',
      `Origin: ${PAGE}`,
      ASK,
      'Access-Control-Request-Headers: X-Stainless-OS,authorization, x-stainless-evil,cookie,,Content-Type,authorization,*, x-forwarded-for',
    );
    expect(headers['access-control-allow-headers']).to.equal(
      'authorization, content-type, x-stainless-os',
    );
    const traced = await ask(
      [PAGE],
      'OPTIONS /api/chat',
      `Origin: ${PAGE}`,
      ASK,
      'Access-Control-Request-Headers: baggage, traceparent, tracestate, x-requested-with',
    );
    expect(traced.headers['access-control-allow-headers']).to.equal(
      'x-requested-with, traceparent, tracestate, baggage',
    );
    const none = await ask(
      [PAGE],
      'OPTIONS /api/chat',
      `Origin: ${PAGE}`,
      ASK,
      'Access-Control-Request-Headers: cookie',
    );
    expect(none.headers).to.not.have.property('access-control-allow-headers');
  });

  it('the rules of framing come first, a preflight or not', async () => {
    const broken = await ask(
      [PAGE],
      'OPTIONS /api/chat',
      `Origin: ${PAGE}`,
      ASK,
      'Upgrade: websocket',
    );
    expect(broken.status).to.equal(400);
    expect(broken.headers).to.include({ 'access-control-allow-origin': PAGE });
    expect(broken.headers).to.not.have.property('access-control-allow-methods');
  });

  it('where every origin may call, the answer is one for all and varies with nothing', async () => {
    const [page, nobody] = await Promise.all([
      ask(['*'], 'GET /healthz', 'Origin: null'),
      ask(['*'], 'GET /healthz'),
    ]);
    expect(page).to.deep.equal(nobody);
    expect(page.headers).to.include({ 'access-control-allow-origin': '*' });
    expect(page.headers).to.not.have.property('vary');

    const preflight = await ask(['*'], 'OPTIONS /api/chat', 'Origin: https://a.example', ASK);
    expect(preflight.status).to.equal(204);
    expect(preflight.headers).to.include({ 'access-control-allow-origin': '*' });
    expect((await ask(['*'], 'OPTIONS /api/chat', ASK)).status).to.equal(404);
  });
});

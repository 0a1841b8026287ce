import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { completeKey } from '../support/complete-key.ts';
import { launchGateway, PEPPER } from '../support/launch-gateway.ts';
import { readSinks } from '../support/read-sinks.ts';
import { findLeaks } from '../support/secret-grep.ts';
import type { Sink } from '../support/secret-grep.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

function makeCanary(what: string): string {
  return `canary-${what}-${randomBytes(12).toString('hex')}`;
}

describe('security: nothing secret leaves, whatever happens', function () {
  this.timeout(60_000);
  const prompt = makeCanary('prompt');
  const reply = makeCanary('reply');
  const fault = makeCanary('upstream-error');
  const agent = makeCanary('client-header');
  const query = makeCanary('query');
  const givenPassword = makeCanary('password');
  const secrets: string[] = [PEPPER, prompt, reply, fault, agent, query];
  const answers: Sink[] = [];
  let stack: Stack;
  let caller: MadeKey;

  before(async () => {
    stack = await startStack({ workers: 2 });
    caller = await stack.makeCaller();
    secrets.push(caller.key);
  });
  after(() => stack.stop());

  async function ask(
    key: string | undefined,
    body: unknown,
    path = '/api/chat',
  ): Promise<Response> {
    return post(`${stack.gateway.url}${path}?q=${query}`, key, body, {
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        'user-agent': agent,
        'x-forwarded-for': agent,
      },
    });
  }

  /** What a client is told is a sink too, but for the reply that it asked for. */
  async function note(name: string, response: Response): Promise<void> {
    const headers = JSON.stringify([...response.headers]);
    answers.push({ name, text: `${headers} ${await response.text()}` });
  }

  it('not by requests served, refused, broken off, or failed upstream', async () => {
    const chat = { model: 'llama3', messages: [{ role: 'user', content: prompt }] };
    stack.ollama.next({ tokens: 2, text: reply });
    expect((await (await ask(caller.key, chat)).text()).includes(reply)).to.equal(true);

    const wrong = completeKey(caller.publicId, caller.key.split('').reverse().join(''));
    secrets.push(wrong);
    await note('wrong key', await ask(wrong, chat));
    await note('malformed key', await ask(`${caller.key}x`, chat));
    await note('bad JSON', await ask(caller.key, `{"model":"${prompt}`));
    await note(
      'bad field',
      await ask(caller.key, { ...chat, options: { [prompt]: 1, seed: prompt } }),
    );
    await note('bad model', await ask(caller.key, { ...chat, model: `${prompt}:1` }));
    await note('blocked', await ask(caller.key, { name: prompt }, '/api/pull'));
    for (const script of [
      { status: 500, body: JSON.stringify({ error: fault }) },
      { status: 400, body: JSON.stringify({ error: fault }) },
      { status: 404, body: fault },
      { status: 307, headers: { location: `/${fault}` } },
      { errorAfterLines: 0, errorText: fault },
      { errorAfterLines: 2, errorText: fault },
      { garbageAfterLines: 1, garbage: fault },
      { resetAfterLines: 2 },
      { endAfterLines: 1 },
      { headers: { 'x-upstream': fault, 'set-cookie': fault } },
    ]) {
      stack.ollama.next(script);
      await note(JSON.stringify(Object.keys(script)), await ask(caller.key, chat));
    }
    stack.redis.signal('SIGSTOP');
    await note('redis stopped', await ask(caller.key, chat));
    stack.redis.signal('SIGCONT');
    await stack.readAudit(caller.keyId, 8);

    expect(findLeaks(answers, secrets)).to.deep.equal([]);
    expect(findLeaks(await readSinks(stack), secrets)).to.deep.equal([]);
  });

  it('not by a store that cannot be reached: its URL holds a password', async () => {
    const gateway = await launchGateway({
      databaseUrl: `postgresql://gw:${givenPassword}@127.0.0.1:1/db`,
      redisUrl: `redis://:${givenPassword}@127.0.0.1:1`,
      ollamaUrl: stack.ollama.url,
      waitUntilReady: false,
    });
    await until(() => gateway.events('waiting').length > 0, {
      withinMs: 10_000,
      what: 'the gateway to say what it waits for',
    });
    await gateway.stop();
    expect(gateway.output()).to.not.include(givenPassword);
  });

  it('and the search after all tests knows what each gateway was given', () => {
    const given = [PEPPER, givenPassword, `redis://:${givenPassword}@127.0.0.1:1`];
    for (const text of given) {
      expect(findLeaks([{ name: 'planted', text: `"${text}"` }])).to.deep.equal(['planted']);
    }
  });

  it('and the search would have found it: a planted leak is seen in each place', async () => {
    const planted = makeCanary('planted');
    await stack.database.query('update gateway.tenants set name = $1', [planted]);
    const encoded = Buffer.from(planted).toString('base64');
    const found = findLeaks(
      [...(await readSinks(stack)), { name: 'output', text: `{"msg":"${encoded}"}` }],
      [planted],
    );
    expect(found).to.deep.equal(['table gateway.tenants', 'output']);
  });
});

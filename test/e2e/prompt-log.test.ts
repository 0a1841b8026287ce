import { expect } from 'chai';
import { readDocument, runNzgw } from '../support/run-nzgw.ts';
import type { Run } from '../support/run-nzgw.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const PROMPT_LOG_KEY = 'a secret for prompts, thirty-two bytes and more';
const CHAT = {
  model: 'llama3',
  messages: [{ role: 'user', content: 'CANARY-REQUEST' }],
};

interface Entry {
  readonly id: string;
  readonly key: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly cut: boolean;
  readonly endpoint: string;
  readonly model: string;
  readonly request: { readonly messages: unknown };
  readonly reply: { readonly content: string };
}

describe('e2e: the prompt log', function () {
  this.timeout(60_000);
  let stack: Stack;
  let caller: MadeKey;

  before(async () => {
    stack = await startStack({
      env: { NZGW_PROMPT_LOG_KEY: PROMPT_LOG_KEY, NZGW_PROMPT_LOG_MAX_BYTES: '4096' },
    });
    caller = await stack.makeKey(await stack.makeTenant(), { promptLog: true, promptLogDays: 3 });
  });
  after(() => stack.stop());

  const nzgw = (args: readonly string[], key = PROMPT_LOG_KEY): Promise<Run> =>
    runNzgw(args, {
      env: {
        DATABASE_URL: stack.databaseUrl,
        ...(key === '' ? {} : { NZGW_PROMPT_LOG_KEY: key }),
      },
    });

  async function ask(path: string, key: MadeKey, body: object): Promise<string> {
    const response = await post(stack.gateway.url + path, key.key, body);
    await response.text();
    expect(response.status).to.equal(200);
    return response.headers.get('request-id') ?? '';
  }

  const countRows = async (): Promise<number> => {
    const { rows } = await stack.database.query<{ count: number }>(
      'select count(*) as count from gateway.prompt_log',
    );
    return rows[0]?.count ?? 0;
  };

  async function readEntries(ids: readonly string[]): Promise<readonly Entry[]> {
    return until(
      async () => {
        const run = await nzgw(['export-prompts', caller.tenantId]);
        expect(run.code, run.stderr).to.equal(0);
        const all = run.stdout.split('\n').filter(Boolean);
        const found = all.map((line) => JSON.parse(line) as Entry);
        const wanted = ids.map((id) => found.find((entry) => entry.id === id));
        return wanted.every((entry) => entry !== undefined) && wanted;
      },
      { withinMs: 10_000, what: 'the entries to be written' },
    );
  }

  it('keeps request and reply of a key that opted in, in both dialects, streamed and not', async () => {
    const script = { tokens: 3, text: 'CANARY-REPLY ' };
    stack.ollama.always(script);
    const ids = [
      await ask('/api/chat', caller, CHAT),
      await ask('/api/chat', caller, { ...CHAT, stream: false }),
      await ask('/v1/chat/completions', caller, { ...CHAT, stream: true }),
      await ask('/v1/chat/completions', caller, CHAT),
    ];
    for (const entry of await readEntries(ids)) {
      expect(entry).to.include({
        key: `nz_${caller.publicId}`,
        cut: false,
        endpoint: 'chat',
        model: 'llama3:latest',
      });
      expect(entry.request.messages).to.deep.equal(CHAT.messages);
      expect(entry.reply.content).to.equal('CANARY-REPLY '.repeat(3));
      const keptMs = Date.parse(entry.expires_at) - Date.parse(entry.created_at);
      expect(keptMs).to.equal(3 * 86_400_000);
    }
  });

  it('keeps nothing of a key that did not, nor of one that opted out meanwhile', async () => {
    const silent = await stack.makeKey(caller.tenantId);
    const leaving = await stack.makeKey(caller.tenantId, { promptLog: true });
    stack.ollama.next({ tokens: 30, paceMs: 50 });
    const seen = stack.ollama.inferences.length;
    const running = ask('/api/chat', leaving, CHAT);
    await until(() => stack.ollama.inferences.length > seen, {
      withinMs: 5_000,
      what: 'its request upstream',
    });
    await stack.database.query('update gateway.api_keys set prompt_log = false where id = $1', [
      leaving.keyId,
    ]);
    const ids = [await ask('/api/chat', silent, CHAT), await running];
    await readEntries([await ask('/api/chat', caller, CHAT)]);
    const { rows } = await stack.database.query(
      'select id from gateway.prompt_log where id = any($1::uuid[])',
      [ids],
    );
    expect(rows).to.deep.equal([]);
  });

  it('cuts what is too long, and marks it', async () => {
    const long = { ...CHAT, messages: [{ role: 'user', content: 'x'.repeat(10_000) }] };
    const [entry] = await readEntries([await ask('/api/chat', caller, long)]);
    expect(entry?.cut).to.equal(true);
    const request: unknown = entry?.request;
    expect(request).to.be.a('string').with.length.within(3_500, 4_096);
    expect(entry?.reply.content).to.not.equal('');
  });

  it('shows no word of them to who reads the tables or the log', async () => {
    const { rows } = await stack.database.query<{ row: string }>(
      "select p::text || encode(p.sealed, 'escape') as row from gateway.prompt_log p",
    );
    expect(rows.length).to.be.above(0);
    expect(JSON.stringify(rows)).to.not.include('CANARY');
    expect(stack.gateway.output()).to.not.include('CANARY');
  });

  it('is read page by page', async () => {
    const all = await countRows();
    const ids: string[] = [];
    let cursor: string | null = null;
    do {
      const args = cursor === null ? [] : ['--cursor', cursor];
      const page = ['export-prompts', caller.tenantId, '--json', '--limit', '2', ...args];
      const document = readDocument(await nzgw(page));
      const data = document['data'] as readonly Entry[];
      expect(data.length).to.be.within(1, 2);
      ids.push(...data.map(({ id }) => id));
      cursor = document['next_cursor'] as string | null;
    } while (cursor !== null);
    expect(new Set(ids).size).to.equal(all);
  });

  it('opens nothing with another secret, and says how many it could not', async () => {
    const run = await nzgw(['export-prompts', caller.tenantId], `${PROMPT_LOG_KEY}!`);
    expect(run.code).to.equal(8);
    expect(run.stdout).to.not.include('CANARY');
    expect(run.stderr).to.include(`${await countRows()} entries`);
    expect((await nzgw(['export-prompts', caller.tenantId], '')).code).to.equal(2);
  });

  it('is switched on by nzgw, but not without a secret to seal with', async () => {
    const made = await stack.makeKey(caller.tenantId);
    const on = ['update-key', made.publicId, '--prompt-log', '--prompt-log-days', '2', '--json'];
    expect((await nzgw(on, '')).code).to.equal(2);
    const run = await nzgw(on);
    expect(run.code, run.stderr).to.equal(0);
    expect(readDocument(run)).to.include({ prompt_log: true, prompt_log_days: 2 });
    const off = await nzgw(['update-key', made.publicId, '--no-prompt-log', '--json'], '');
    expect(readDocument(off)).to.include({ prompt_log: false, prompt_log_days: 2 });
  });

  it('brings what is left to Postgres before the gateway ends', async () => {
    stack.ollama.always({ tokens: 1 });
    const before = await countRows();
    await Promise.all(Array.from({ length: 40 }, () => ask('/api/chat', caller, CHAT)));
    await stack.gateway.stop();
    expect(await countRows()).to.equal(before + 40);
  });
});

describe('e2e: the prompt log of a gateway without NZGW_PROMPT_LOG_KEY', function () {
  this.timeout(60_000);

  it('has nothing, and the gateway says so, but serves', async () => {
    const stack = await startStack();
    try {
      const tenantId = await stack.makeTenant();
      const caller = await stack.makeKey(tenantId, { promptLog: true });
      const response = await post(`${stack.gateway.url}/api/chat`, caller.key, CHAT);
      await response.text();
      expect(response.status).to.equal(200);
      await until(() => stack.gateway.events('prompts_dropped').length > 0, {
        withinMs: 5_000,
        what: 'the gateway to say it',
      });
      expect(stack.gateway.events('prompts_dropped')[0]).to.include({ no_key: 1 });
      const { rows } = await stack.database.query('select id from gateway.prompt_log');
      expect(rows).to.deep.equal([]);
    } finally {
      await stack.stop();
    }
  });
});

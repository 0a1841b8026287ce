import { until } from '../../support/until.ts';
import { CLIENT_ADDRESS } from './client-network.ts';
import type { ClientNetwork } from './client-network.ts';
import { check, ensure } from './record.ts';
import { ask, toChat } from './requests.ts';
import type { Reply } from './requests.ts';
import type { Stack } from './stack.ts';

const WORDS = 20;
const STORED_MS = 15_000;
/** The demo model says ten words a second. */
const STREAM_MS = 1_500;

/** What a customer's requests do, and what is known of them afterwards. */
export async function checkRequests(
  stack: Stack,
  client: ClientNetwork,
  key: string,
): Promise<void> {
  const leftBefore = await readLeft(stack, client, key);
  let chat: Reply = { code: 1, text: '', atMs: [] };
  await check('a chat comes through the TLS of Caddy, line by line', async () => {
    const headers = ['X-Forwarded-For: 203.0.113.9', 'X-Real-IP: 203.0.113.9'];
    chat = await ask(stack, client, { key, path: '/api/chat', body: toChat(WORDS), headers });
    return seeStream(chat);
  });
  const id = readHeader(chat, 'request-id');
  await check('its audit row names the client, not Caddy, nor whom the client pretends to be', () =>
    seeRow(stack, id),
  );
  await check('the log names the client too', () => seeLog(stack, id));
  await check('the budget is lower by what was used', async () => {
    const left = await readLeft(stack, client, key);
    ensure(left < leftBefore, `${leftBefore} before, ${left} after`);
    return `${leftBefore} before, ${left} after`;
  });
  await check('a metric counts it, for those inside the container', () => seeMetric(stack));
  await check('what Caddy adds and hides is as it should be', () => seeHeaders(chat));
  await check('a key of a customer cannot pull a model: 403', async () => {
    const { text } = await ask(stack, client, { key, path: '/api/pull', body: { model: 'x' } });
    ensure(/^HTTP\/\S+ 403/.test(text), text);
    return '';
  });
  await check('the login of the gateway cannot make a key: exit 4', async () => {
    const { code, text } = await stack.tryCompose(
      ...['exec', '-T', 'gateway', 'nzgw', 'create-tenant', 'evil'],
    );
    ensure(code === 4, `${code}: ${text}`);
    return '';
  });
}

function seeStream({ code, text, atMs }: Reply): string {
  ensure(code === 0 && /^HTTP\/\S+ 200/.test(text), `${code}: ${text}`);
  ensure(text.includes('"done":true'), text);
  const took = (atMs.at(-1) ?? 0) - (atMs[0] ?? 0);
  ensure(atMs.length > WORDS && took > STREAM_MS, `${atMs.length} pieces in ${took} ms`);
  return `${atMs.length} pieces in ${Math.round(took)} ms`;
}

function readHeader({ text }: Reply, name: string): string {
  return new RegExp(`^${name}: (.*)$`, 'im').exec(text)?.[1]?.trim() ?? '';
}

/** Tokens of the tenant's budget. */
async function readLeft(stack: Stack, client: ClientNetwork, key: string): Promise<number> {
  const { text } = await ask(stack, client, { key, path: '/api/v1/key' });
  const left = /"left":(\d+)/.exec(text)?.[1];
  if (left === undefined) throw new Error(`no budget in ${text}`);
  return Number(left);
}

async function seeRow(stack: Stack, id: string): Promise<string> {
  ensure(/^[0-9a-f-]{36}$/.test(id), `no id: ${id}`);
  const columns = 'client_address, status, outcome, prompt_tokens, completion_tokens, streamed';
  const query = `select ${columns} from gateway.audit_log where id = '${id}'`;
  const psql = ['psql', '-U', 'postgres', '-d', 'nzgw', '-Atc', query];
  const row = await until(async () => (await stack.inside('postgres', ...psql)).trim(), {
    withinMs: STORED_MS,
    what: 'the audit row',
  });
  const [address, status, outcome, prompt, completion, streamed] = row.split('|');
  ensure(address === CLIENT_ADDRESS.replace(/\d+$/, '0/24'), row);
  ensure(status === '200' && outcome === 'ok' && streamed === 't', row);
  ensure(Number(prompt) > 0 && Number(completion) > WORDS, row);
  return row;
}

async function seeLog(stack: Stack, id: string): Promise<string> {
  const lines = (await stack.compose('logs', '--no-color', 'gateway')).split('\n');
  const line = lines.find((text) => text.includes(id) && text.includes('client.address'));
  const address = /"client\.address":"([^"]+)"/.exec(line ?? '')?.[1] ?? 'no line';
  ensure(address.startsWith(CLIENT_ADDRESS.replace(/\d+$/, '')), address);
  return address;
}

async function seeMetric(stack: Stack): Promise<string> {
  const script =
    "fetch('http://127.0.0.1:9464/metrics').then((r)=>r.text()).then((t)=>console.log(t))";
  const find = async (): Promise<string | undefined> =>
    (await stack.inside('gateway', 'node', '-e', script))
      .split('\n')
      .find((line) => /^gateway_requests_total\{.*status="200".*\} [1-9]/.test(line));
  return until(find, { withinMs: STORED_MS, what: 'the metric' });
}

function seeHeaders(chat: Reply): string {
  ensure(/max-age=\d{7,}/.test(readHeader(chat, 'strict-transport-security')), chat.text);
  ensure(readHeader(chat, 'x-content-type-options') === 'nosniff', chat.text);
  for (const name of ['server', 'x-powered-by', 'via']) {
    ensure(readHeader(chat, name) === '', `${name}: ${readHeader(chat, name)}`);
  }
  return '';
}

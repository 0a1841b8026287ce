import { until } from '../../../support/until.ts';
import { isWhole, startChat } from './chat.ts';
import { query } from './host.ts';
import { check, ensure } from './record.ts';

/** A request by the document's key: what SPEC §1 promises of each, seen from outside. */
export async function checkRequests(key: string): Promise<void> {
  let id = '';
  const before = await readBudget(key);
  await check('a streamed answer comes in pieces, and whole', async () => {
    const reply = await startChat(key, 30).ended;
    ensure(isWhole(reply), `${reply.status}: ${JSON.stringify(reply.lines)}`);
    ensure(reply.spreadMs > 200, `all came within ${reply.spreadMs} ms`);
    id = reply.headers.get('request-id') ?? '';
    return `${reply.lines.length} lines in ${Math.round(reply.spreadMs)} ms`;
  });
  await check('it has one audit row', async () => {
    const row = await until(
      () =>
        query(
          `select outcome, status, completion_tokens from gateway.audit_log where id = '${id}'`,
        ),
      { withinMs: 10_000, what: `the audit row of ${id}` },
    );
    ensure(/^ok\|200\|[1-9]\d*$/.test(row), row);
    return row;
  });
  await check('it has lowered the budget by what it used', async () => {
    const after = await readBudget(key);
    ensure(after < before, `${before} before, ${after} after`);
    return `${before} before, ${after} after`;
  });
  await check('it is counted', async () => {
    const line = await until(
      async () => {
        const text = await (await fetch('http://127.0.0.1:9464/metrics')).text();
        return /^gateway_requests_total\{.*tenant="acme-inc".*\} [1-9]\d*$/m.exec(text)?.[0];
      },
      { withinMs: 10_000, what: 'the metric of requests' },
    );
    return line;
  });
}

/** What is left of the tenant's budget, by what the caller itself can see. */
export async function readBudget(key: string): Promise<number> {
  const headers = { authorization: `Bearer ${key}` };
  const response = await fetch('http://127.0.0.1:8080/api/v1/key', { headers });
  const text = await response.text();
  const { data } = JSON.parse(text) as {
    readonly data: { readonly tenant: { readonly budget: { readonly left: number } } };
  };
  return data.tenant.budget.left;
}

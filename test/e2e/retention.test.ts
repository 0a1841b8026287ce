import { expect } from 'chai';
import { connect } from '../support/test-postgres.ts';
import { checkLedger } from '../support/ledger-check.ts';
import { scrape } from '../support/read-metrics.ts';
import { readDocument, runNzgw } from '../support/run-nzgw.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack, StoreUrls } from '../support/stack.ts';
import { insertKey, insertTenant } from '../support/schema-rows.ts';
import { until } from '../support/until.ts';

const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }] };

/** So many rows of a tenant that keeps them for a day, on that many days ago, and their sums. */
async function addOldRows(databaseUrl: string, ago: number, count: number): Promise<void> {
  const sql = await connect(databaseUrl);
  try {
    const tenantId = await insertTenant(sql);
    await sql.query('update gateway.tenants set audit_retention_days = 1 where id = $1', [
      tenantId,
    ]);
    const keyId = await insertKey(sql, tenantId);
    await sql.query(`select gateway.ensure_audit_day((now() at time zone 'UTC')::date - $1::int)`, [
      ago,
    ]);
    await sql.query(
      `insert into gateway.audit_log (id, admitted_at, tenant_id, key_id, dialect, endpoint, model,
         status, outcome, prompt_tokens, charged_tokens, count_source, duration_ms, streamed)
       select gen_random_uuid(), now() - make_interval(days => $1), $2, $3, 'native', 'chat', 'm',
         200, 'ok', 1, 1, 'reported', 1, true
       from generate_series(1, $4)`,
      [ago, tenantId, keyId, count],
    );
    await sql.query(
      `insert into gateway.token_ledger (tenant_id, key_id, model, day, requests, prompt_tokens,
         charged_tokens)
       values ($2, $3, 'm', (now() at time zone 'UTC')::date - $1::int, $4, $4, $4)`,
      [ago, tenantId, keyId, count],
    );
  } finally {
    await sql.end();
  }
}

/** It keeps its rows for 90 days, so that younger days of the log stay. */
async function addLastingTenant(databaseUrl: string): Promise<void> {
  const sql = await connect(databaseUrl);
  await insertTenant(sql).finally(() => sql.end());
}

describe('e2e: retention', function () {
  this.timeout(90_000);
  let stack: Stack;
  let caller: MadeKey;
  const ids: string[] = [];

  before(async () => {
    stack = await startStack({
      through: async (urls: StoreUrls) => {
        await addLastingTenant(urls.databaseUrl);
        await addOldRows(urls.databaseUrl, 5, 3_000);
        await addOldRows(urls.databaseUrl, 100, 10);
        return urls;
      },
    });
    caller = await stack.makeKey(await stack.makeTenant({ slug: 'caller' }));
  });
  after(() => stack.stop());

  async function chat(): Promise<number> {
    const response = await post(`${stack.gateway.url}/api/chat`, caller.key, CHAT);
    await response.text();
    ids.push(response.headers.get('request-id') ?? '');
    return response.status;
  }

  async function countOldRows(): Promise<number> {
    const { rows } = await stack.database.query<{ count: number }>(
      `select count(*) as count from gateway.audit_log where admitted_at < now() - interval '3 days'`,
    );
    return rows[0]?.count ?? -1;
  }

  it('makes up soon after its start for sweeps that were missed, and tells of it', async () => {
    const [line] = await until(
      () => {
        const lines = stack.gateway.events('swept').filter(({ finished }) => finished === true);
        return lines.length > 0 && lines;
      },
      { withinMs: 30_000, what: 'the sweep' },
    );
    expect(line).to.include({ audit_rows: 3_000, days_dropped: 1, days_postponed: 0 });
    expect(line).to.include({ days_refused: 0, first_refused: null });
    expect(await countOldRows()).to.equal(0);
    expect(await chat()).to.equal(200);
    const age = (await scrape(stack.gateway.adminUrl)).get('gateway_sweep_age_seconds');
    expect(age?.series.get('gateway_sweep_age_seconds')).to.be.within(0, 60);
  });

  it('serves as ever while nzgw sweep deletes, and loses no row of what it serves', async () => {
    await addOldRows(stack.databaseUrl, 6, 10_000);
    let isOver = false;
    const statuses = new Set<number>();
    const clients = Array.from({ length: 4 }, async () => {
      while (!isOver) statuses.add(await chat());
    });
    const swept = await runNzgw(['sweep', '--json'], { env: { DATABASE_URL: stack.databaseUrl } });
    isOver = true;
    await Promise.all(clients);
    expect(swept.code, swept.stderr).to.equal(0);
    expect(readDocument(swept)).to.include({ finished: true, audit_rows: 10_000 });
    expect([...statuses]).to.deep.equal([200]);
    expect(await countOldRows()).to.equal(0);
    const { audit } = await checkLedger(stack, { admitted: ids });
    expect(audit.unverifiableDays).to.have.length(3);
    expect(stack.gateway.events('sweep_failed')).to.deep.equal([]);
  });
});

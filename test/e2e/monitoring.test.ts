import { expect } from 'chai';
import {
  DASHBOARD,
  readQueries,
  readSelectors,
  readText,
  RULES,
} from '../support/monitoring-files.ts';
import { scrape } from '../support/read-metrics.ts';
import type { MetricFamily, Scrape } from '../support/read-metrics.ts';
import { startStack } from '../support/stack.ts';
import type { Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { makeVariedTraffic } from '../support/varied-traffic.ts';
import type { VariedTraffic } from '../support/varied-traffic.ts';

/** Given by Prometheus to each series. */
const TARGET_LABELS = ['instance', 'job', 'le'];
/** Budgets are looked at twice a minute. */
const BUDGETS_MS = 35_000;
const TENANT = 'tenant="tenant-1"';
/** Of the varied requests. */
const ADMITTED = 8;
const LLAMA = `${TENANT},model="llama3:latest"`;

/** What SPEC §12 names, by the names that it has or leaves open. */
const MANDATED = [
  'gateway_requests_total',
  'gateway_tokens_total',
  'gateway_request_duration_seconds',
  'gateway_time_to_first_token_seconds',
  'gateway_overhead_seconds',
  'gateway_inflight_requests',
  'gateway_refusals_total',
  'gateway_auth_results_total',
  'gateway_argon2_queue_length',
  'gateway_redis_script_seconds',
  'gateway_audit_stream_length',
  'gateway_audit_lag_seconds',
  'gateway_settlement_ring_fill_ratio',
  'gateway_refusal_ring_fill_ratio',
  'gateway_revocation_lag_seconds',
  'gateway_trust_valid',
  'gateway_breaker_state',
  'gateway_discovery_age_seconds',
  'gateway_budget_used_ratio',
  'gateway_budget_drift_total',
  'gateway_event_loop_delay_seconds',
  'gateway_worker_restarts_total',
  'gateway_build_info',
];

describe('e2e: what is monitored', function () {
  this.timeout(90_000);
  let stack: Stack;
  let traffic: VariedTraffic;
  let seen: Scrape;

  before(async () => {
    stack = await startStack();
    traffic = await makeVariedTraffic(stack);
    seen = await until(
      async () => {
        const families = await scrape(stack.gateway.adminUrl);
        const isBudgetSeen = read(families, `gateway_budget_used_ratio{${TENANT}`) > 0;
        const isAllTold = read(families, 'gateway_overhead_seconds_count') >= ADMITTED;
        return isBudgetSeen && isAllTold && families;
      },
      { withinMs: BUDGETS_MS, what: 'a look at budgets' },
    );
  });
  after(() => stack.stop());

  /** The sum of all series that begin so. */
  function read(families: Scrape, start: string): number {
    const all = [...families.values()].flatMap(({ series }) => [...series]);
    return all.reduce((sum, [name, value]) => sum + (name.startsWith(start) ? value : 0), 0);
  }

  /** The family of a name in a query, whose histograms are read by their parts. */
  function find(metric: string): MetricFamily | undefined {
    const part = /^(.*)_(?:bucket|sum|count)$/.exec(metric)?.[1];
    const whole = part === undefined ? undefined : seen.get(part);
    return seen.get(metric) ?? (whole?.type === 'histogram' ? whole : undefined);
  }

  it('has every metric that is promised, with a value', () => {
    for (const name of MANDATED) expect(seen.get(name)?.series.size, name).to.be.above(0);
    expect(seen.get('gateway_requests_total')?.labels).to.have.members([
      'tenant',
      'model',
      'status',
    ]);
    expect(seen.get('gateway_tokens_total')?.labels).to.have.members([
      'tenant',
      'model',
      'direction',
    ]);
    const { type, labels } = seen.get('gateway_request_duration_seconds') ?? {};
    expect(type).to.equal('histogram');
    expect(labels).to.have.members(['tenant', 'model']);
  });

  it('counted each request once, by what was answered', () => {
    expect([...traffic.statuses.keys()]).to.include.members([200, 400, 401, 403, 404, 502]);
    for (const [status, count] of traffic.statuses) {
      // Probes of readiness answer 200 and 503, and have no tenant.
      const series = [...(seen.get('gateway_requests_total')?.series ?? [])].filter(
        ([name]) =>
          name.includes(`status="${status}"`) && (status === 401 || !name.includes('"none",model')),
      );
      expect(
        series.reduce((sum, [, value]) => sum + value, 0),
        String(status),
      ).to.equal(count);
    }
    expect(read(seen, 'gateway_refusals_total{code="endpoint_blocked"}')).to.equal(1);
    expect(read(seen, 'gateway_auth_results_total{result="invalid_api_key"}')).to.equal(2);
    expect(read(seen, 'gateway_overhead_seconds_count')).to.equal(ADMITTED);
  });

  it('tells tokens as the audit log does, and the part of the budget that was spent', async () => {
    const rows = await stack.readAudit(traffic.caller.keyId, ADMITTED);
    const sum = (column: string): number =>
      rows.reduce((all, row) => all + (row['outcome'] === 'refused' ? 0 : Number(row[column])), 0);
    const told = (direction: string): number =>
      [...(seen.get('gateway_tokens_total')?.series ?? [])]
        .filter(([name]) => name.includes(TENANT) && name.includes(`direction="${direction}"`))
        .reduce((all, [, value]) => all + value, 0);
    expect(told('prompt')).to.equal(sum('prompt_tokens'));
    expect(told('completion')).to.equal(sum('completion_tokens'));
    expect(read(seen, `gateway_tokens_total{${LLAMA},direction="completion"`)).to.be.above(0);
    // The look that was seen may have been in the middle of the requests.
    const series = `gateway_budget_used_ratio{${TENANT},period="month",part="spent"}`;
    const ratio = sum('charged_tokens') / 100_000;
    await until(
      async () => {
        const spent = read(await scrape(stack.gateway.adminUrl), series);
        return Math.abs(spent - ratio) < 1e-9;
      },
      { withinMs: BUDGETS_MS, what: 'a look behind all requests' },
    );
  });

  it('has every metric, with every label, that dashboard and alerts ask for', async () => {
    const texts = [await readText(RULES), ...readQueries(await readText(DASHBOARD))];
    const selectors = texts.flatMap((text) => readSelectors(text));
    expect(selectors.length).to.be.above(100);
    for (const { metric, labels } of selectors) {
      const family = find(metric);
      expect(family, metric).to.not.equal(undefined);
      expect([...(family?.labels ?? []), ...TARGET_LABELS], metric).to.include.members(labels);
    }
  });

  it('is written down as it is: names, kinds, labels, meanings', async () => {
    const page = await readText('docs/monitoring/README.md');
    const written = [
      ...page.matchAll(/^\| `(gateway_\w+)` +\| (\w+) +\| (.*?) +\| (.*?) +\|$/gm),
    ].map(([, name, type, labels = '', help]) => ({
      name,
      type,
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label).sort(),
      help,
    }));
    const real = [...seen]
      .filter(([name]) => name.startsWith('gateway_'))
      .map(([name, { type, labels, help }]) => ({ name, type, labels, help }));
    expect(written).to.have.deep.members(real);
  });

  it('tells no key, no address of a client, no store', async () => {
    const text = await (await fetch(`${stack.gateway.adminUrl}/metrics`)).text();
    const { key, publicId, tenantId } = traffic.caller;
    for (const secret of [key, publicId, tenantId, stack.databaseUrl, stack.redis.url]) {
      expect(text).to.not.include(secret);
    }
  });
});

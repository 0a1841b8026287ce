import { expect } from 'chai';
import { toFigures } from '../../../../bin/top/figures.ts';
import type { Figures } from '../../../../bin/top/figures.ts';
import { renderFrame } from '../../../../bin/top/frame.ts';
import { parseMetrics } from '../../../../bin/top/parse-metrics.ts';
import { WANTED } from '../../../../bin/top/read-scrape.ts';
import type { Scrape } from '../../../../bin/top/read-scrape.ts';
import { writeMetrics } from './metrics-text.ts';

const WHERE = { url: 'http://127.0.0.1:9464', wallMs: Date.parse('2026-11-30T10:11:12Z') };

function scrape(atMs: number, text: string): Scrape {
  const checks = [{ name: 'redis', status: 'pass', ms: 0.4 }] as const;
  return { atMs, readiness: { ready: true, checks }, metrics: parseMetrics(text, WANTED) };
}

function measure(before: string, after: string): Figures {
  return toFigures({ before: scrape(1_000, before), after: scrape(3_000, after) }, WHERE);
}

describe('bin/top/figures', () => {
  it('turns counters into rates and keeps what stands at a level', () => {
    const figures = measure(
      writeMetrics({ requests: 10, completion: 100 }),
      writeMetrics({ requests: 16, completion: 500 }),
    );
    expect(figures).to.deep.include({
      interval_ms: 2_000,
      version: '0.1.0',
      ready: true,
      workers: 2,
      worker_restarts: 1,
      requests_per_s: 3,
      prompt_tokens_per_s: 0,
      completion_tokens_per_s: 200,
      in_flight: 5,
      trust_valid: true,
      revocation_lag_s: null,
      audit_waiting: 7,
      audit_lag_s: 1.5,
    });
    expect(figures.refusals).to.deep.equal([
      { code: 'rate_limited', per_s: 0, total: 7 },
      { code: 'invalid_key', per_s: 0, total: 1 },
    ]);
    expect(figures.tenants?.map(({ name }) => name)).to.deep.equal(['acme', 'beta', 'none']);
    expect(figures.models?.[0]).to.deep.equal({
      name: 'llama3:latest',
      requests_per_s: 3,
      tokens_per_s: 200,
      requests: 16,
    });
  });

  it('a gateway that was started anew has counted from zero: no rate is negative', () => {
    const figures = measure(writeMetrics({ requests: 1_000 }), writeMetrics({ requests: 4 }));
    expect(figures.requests_per_s).to.equal(2);
  });

  it('takes the quantiles of what was measured between, else of all since the start', () => {
    const before = writeMetrics({ durations: [100, 100, 100] });
    const between = measure(before, writeMetrics({ durations: [100, 110, 110] })).duration;
    expect(between).to.deep.equal({ p50_ms: 550, p99_ms: 991, of: 'interval' });
    expect(measure(before, before).duration).to.deep.equal({ p50_ms: 50, p99_ms: 99, of: 'start' });
    const beyond = measure(before, writeMetrics({ durations: [100, 100, 102] })).duration;
    expect(beyond).to.deep.equal({ p50_ms: 1_000, p99_ms: 1_000, of: 'interval' });
  });

  it('shows a dash for whatever a gateway does not tell, and null in the document', () => {
    const figures = measure('', '');
    for (const [name, value] of Object.entries(figures)) {
      if (['at', 'url', 'interval_ms', 'ready', 'checks'].includes(name)) continue;
      const nothing = { p50_ms: null, p99_ms: null, of: null };
      const isQuantiles = ['duration', 'first_token'].includes(name);
      expect(value, name).to.deep.equal(isQuantiles ? nothing : null);
    }
    const frame = renderFrame(figures).join('\n');
    expect(frame).to.include('gateway –  READY  10:11:12 UTC');
    expect(frame).to.include('requests/s –   in flight –   tokens/s – in, – out');
    expect(frame).to.match(/^TENANT +REQ\/S +TOK\/S +REQUESTS\n– +– +– +–$/m);
  });

  it('the document keeps every key whatever is missing', () => {
    const keys = Object.keys(measure('', ''));
    expect(Object.keys(measure('', writeMetrics({})))).to.deep.equal(keys);
    expect(JSON.stringify(measure('', writeMetrics({})))).to.not.include('undefined');
  });

  it('the frame is plain text that names what matters', () => {
    const after = writeMetrics({ requests: 2, durations: [10, 10, 1_000] });
    const frame = renderFrame(measure(writeMetrics({}), after)).join('\n');
    expect(frame).to.match(/^duration p50 1\.0 s p99 1\.0 s {3}first token p50 – p99 –$/m);
    expect(frame).to.match(/^trust valid, changes – old {3}audit 7 waiting, 1\.5 s behind/m);
    expect(frame).to.match(/^checks {2}redis 0\.4 ms$/m);
    expect(frame).to.match(/^rate_limited +0 +7$/m);
    expect(frame).to.match(/^acme +1 +0 +2$/m);
    expect(frame).to.not.include('\x1b');
  });
});

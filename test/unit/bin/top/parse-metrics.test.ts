import { expect } from 'chai';
import { parseMetrics } from '../../../../bin/top/parse-metrics.ts';
import { writeMetrics } from './metrics-text.ts';

const WANTED = new Set(['a_total', 'b_seconds', 'gateway_requests_total']);

describe('bin/top/parse-metrics', () => {
  it('keeps what is wanted, with its labels, and nothing else', () => {
    const metrics = parseMetrics(writeMetrics({ requests: 10 }), WANTED);
    expect([...metrics.keys()]).to.deep.equal(['gateway_requests_total']);
    expect(metrics.get('gateway_requests_total')?.[0]).to.deep.equal({
      series: 'gateway_requests_total{tenant="acme",model="llama3:latest",status="200"}',
      labels: { tenant: 'acme', model: 'llama3:latest', status: '200' },
      value: 10,
    });
  });

  it('tells a metric that has no series yet from one that is not there', () => {
    const text = '# TYPE a_total counter\n# TYPE b_seconds histogram\n';
    expect([...parseMetrics(text, WANTED)]).to.deep.equal([
      ['a_total', []],
      ['b_seconds_bucket', []],
      ['b_seconds_sum', []],
      ['b_seconds_count', []],
    ]);
  });

  it('reads labels that hold braces, commas, spaces and what is escaped', () => {
    const series = 'a_total{m="x{1}, y=\\"z\\"\\\\\\n",n=""}';
    const text = `# TYPE a_total counter\n${series} 3\n`;
    expect(parseMetrics(text, WANTED).get('a_total')).to.deep.equal([
      { series, labels: { m: 'x{1}, y="z"\\\n', n: '' }, value: 3 },
    ]);
  });

  it('leaves out lines that it does not understand, and keeps the others', () => {
    const lines = ['a_total{m="x} 1', 'a_total{m=x} 1', 'a_total NaN', 'a_total', 'a_total{ 1'];
    const text = ['# TYPE a_total counter', ...lines, 'a_total +Inf', 'a_total 1e3', ''].join('\n');
    const values = parseMetrics(text, WANTED).get('a_total');
    expect(values?.map(({ value }) => value)).to.deep.equal([Infinity, 1_000]);
  });
});

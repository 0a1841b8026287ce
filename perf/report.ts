import type { Sample } from './measure.ts';

const DIRECT = 'direct';
const YARDSTICK = 'Caddy';

/** Tables of medians over the rounds, in Markdown. */
export function renderReport(samples: readonly Sample[]): string {
  return [
    '### CPU time of the server per request, µs (median; least and most in brackets)',
    renderCpu(samples),
    '### Latency at one connection, ms (median of the rounds)',
    renderLatency(samples),
  ].join('\n\n');
}

function renderCpu(samples: readonly Sample[]): string {
  const servers = namesOf(samples, ({ server }) => server).filter((name) => name !== DIRECT);
  const ratios = servers.filter((name) => name !== YARDSTICK);
  const measured = servers.includes(YARDSTICK);
  const header = [
    'Work',
    'connections',
    ...servers,
    ...(measured ? ratios.map((name) => `${name} ÷ ${YARDSTICK}`) : []),
    'Redis and Postgres beside it',
    'requests/s of it',
  ];
  const rows = groupsOf(samples).map(([scenario, connections]) => {
    const of = (server: string): readonly Sample[] =>
      samples.filter(
        (s) => s.scenario === scenario && s.connections === connections && s.server === server,
      );
    const cpu = (server: string): readonly number[] => of(server).map((s) => s.cpuUs ?? NaN);
    const ours = samples.filter(
      (s) => s.scenario === scenario && s.connections === connections && s.storesUs !== null,
    );
    const yardstick = median(cpu(YARDSTICK));
    return [
      scenario,
      String(connections),
      ...servers.map((name) => showSpread(cpu(name))),
      ...(measured ? ratios.map((name) => (median(cpu(name)) / yardstick).toFixed(2)) : []),
      show(median(ours.map((s) => s.storesUs ?? NaN)), 0),
      show(median(ours.map((s) => s.requestsPerSecond)), 0),
    ];
  });
  return renderTable(header, rows);
}

function renderLatency(samples: readonly Sample[]): string {
  const single = samples.filter(({ connections }) => connections === 1);
  const header = [
    'Work',
    'Server',
    'whole p50',
    'p99',
    'first byte p50',
    'p99',
    'added p50',
    'p99',
  ];
  const rows = namesOf(single, ({ scenario }) => scenario).flatMap((scenario) =>
    namesOf(single, ({ server }) => server).map((server) => {
      const medianOf = (name: string, read: (sample: Sample) => number): number =>
        median(single.filter((s) => s.scenario === scenario && s.server === name).map(read));
      const readings: readonly ((sample: Sample) => number)[] = [
        (s) => s.latencyMs.p50,
        (s) => s.latencyMs.p99,
        (s) => s.firstByteMs.p50,
        (s) => s.firstByteMs.p99,
      ];
      const added = readings
        .slice(2)
        .map((read) => (server === DIRECT ? NaN : medianOf(server, read) - medianOf(DIRECT, read)));
      const all = [...readings.map((read) => medianOf(server, read)), ...added];
      return [scenario, server, ...all.map((value) => show(value, 2))];
    }),
  );
  return renderTable(header, rows);
}

/** Names stand left, numbers right. */
function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const isName = (column: number): boolean => /^[a-z]/i.test(rows[0]?.[column] ?? '');
  const rule = header.map((_, column) => (isName(column) ? '---' : '---:'));
  return [header, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function groupsOf(samples: readonly Sample[]): readonly [string, number][] {
  const keys = new Map<string, [string, number]>();
  for (const { scenario, connections } of samples) {
    keys.set(`${scenario} ${connections}`, [scenario, connections]);
  }
  return [...keys.values()];
}

function namesOf(samples: readonly Sample[], read: (sample: Sample) => string): readonly string[] {
  return [...new Set(samples.map(read))];
}

function showSpread(values: readonly number[]): string {
  const most = Math.max(...values);
  return `${show(median(values), 0)} (${show(Math.min(...values), 0)}–${show(most, 0)})`;
}

function show(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–';
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

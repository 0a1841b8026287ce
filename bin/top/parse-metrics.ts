/** One series at one moment. */
export interface Sample {
  /** Its name and labels as they were written: the same at every moment. */
  readonly series: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Series by the name on their line (`…_bucket` too). One that is described and has none is empty. */
export type Metrics = ReadonlyMap<string, readonly Sample[]>;

const OF_HISTOGRAM = ['_bucket', '_sum', '_count'];
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', '"': '"', '\\': '\\' };

/**
 * Reads Prometheus's text format as the gateway writes it: no timestamps, no exemplars. Only what
 * `wanted` names is kept, of histograms by their own name; a line that is not understood is left out.
 */
export function parseMetrics(text: string, wanted: ReadonlySet<string>): Metrics {
  const metrics = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    if (line.startsWith('# TYPE ')) describe(metrics, line, wanted);
    else if (line !== '' && !line.startsWith('#')) take(metrics, line);
  }
  return metrics;
}

function describe(metrics: Map<string, Sample[]>, line: string, wanted: ReadonlySet<string>): void {
  const [, , name = '', kind = ''] = line.split(' ');
  if (!wanted.has(name)) return;
  const names = kind === 'histogram' ? OF_HISTOGRAM.map((suffix) => `${name}${suffix}`) : [name];
  for (const one of names) if (!metrics.has(one)) metrics.set(one, []);
}

function take(metrics: Map<string, Sample[]>, line: string): void {
  const [name = ''] = line.split(/[{ ]/, 1);
  const samples = metrics.get(name);
  if (!samples) return;
  const at = line.lastIndexOf(' ');
  const value = toNumber(line.slice(at + 1));
  const labels = readLabels(line.slice(name.length, at));
  if (value !== undefined && labels) samples.push({ series: line.slice(0, at), labels, value });
}

function toNumber(text: string): number | undefined {
  if (text === '+Inf' || text === 'Inf') return Infinity;
  const value = text === '' ? NaN : Number(text);
  return Number.isNaN(value) ? undefined : value;
}

/** `{a="b",c="d"}`, or nothing at all. Undefined for anything else. */
function readLabels(text: string): Record<string, string> | undefined {
  const labels: Record<string, string> = {};
  if (text === '') return labels;
  if (!text.startsWith('{') || !text.endsWith('}')) return undefined;
  for (let at = 1; at < text.length - 1;) {
    const equals = text.indexOf('="', at);
    if (equals === -1) return undefined;
    const { value, end } = readQuoted(text, equals + 2);
    if (end === -1) return undefined;
    labels[text.slice(at, equals)] = value;
    at = text[end + 1] === ',' ? end + 2 : end + 1;
  }
  return labels;
}

/** To the closing quote; `end` is its place, -1 where there is none. */
function readQuoted(text: string, from: number): { readonly value: string; readonly end: number } {
  let value = '';
  for (let at = from; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '"') return { value, end: at };
    if (character === '\\') {
      at += 1;
      value += ESCAPES[text[at] ?? ''] ?? '';
    } else {
      value += character;
    }
  }
  return { value, end: -1 };
}

import { readFile } from 'node:fs/promises';
import { ROOT } from '../../lib/root.ts';

/** An alert as prometheus-rules.yml has it. */
export interface Alert {
  readonly name: string;
  readonly severity: string;
  readonly runbookUrl: string;
}

/** A metric that a query reads, and the labels that it selects by. */
export interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

export const RULES = 'docs/monitoring/prometheus-rules.yml';
export const RULES_TEST = 'docs/monitoring/prometheus-rules.test.yml';
export const DASHBOARD = 'docs/monitoring/grafana-dashboard.json';

export function readText(path: string): Promise<string> {
  return readFile(new URL(path, ROOT), 'utf8');
}

/** The alerts, in their order; what one of them lacks is empty. */
export function readAlerts(rules: string): readonly Alert[] {
  return rules
    .split(/^ {6}- alert: /m)
    .slice(1)
    .map((text) => ({
      name: /^\w+/.exec(text)?.[0] ?? '',
      severity: /severity: (\w+)/.exec(text)?.[1] ?? '',
      runbookUrl: /runbook_url: (\S+)/.exec(text)?.[1] ?? '',
    }));
}

/** Every query of the dashboard: of panels, of variables, of annotations. */
export function readQueries(dashboard: string): readonly string[] {
  const found: string[] = [];
  const walk = (value: unknown, key: string): void => {
    if (typeof value === 'string') {
      if (key === 'expr' || key === 'query') found.push(value);
    } else if (value !== null && typeof value === 'object') {
      for (const [name, inner] of Object.entries(value)) walk(inner, name);
    }
  };
  walk(JSON.parse(dashboard), '');
  return found;
}

/** The queries that Prometheus alone understands, with Grafana's variables filled in. */
export function readExpressions(dashboard: string): readonly string[] {
  return readQueries(dashboard)
    .filter((query) => !query.startsWith('label_values('))
    .map((query) => query.replaceAll('$__rate_interval', '5m').replace(/\$\w+/g, '.*'));
}

/** What a text of queries reads of ours; names of tables (`gateway_meta.…`) are none. */
export function readSelectors(text: string): readonly Selector[] {
  const found = text.matchAll(/\b(?:gateway|process|nodejs)_\w+\b(?!\.)/g);
  return [...found].map(({ 0: metric, index }) => {
    const rest = text.slice(index + metric.length);
    const inner = rest.startsWith('{') ? rest.slice(0, rest.indexOf('}')) : '';
    const labels = [...inner.matchAll(/(\w+)\s*[=!]~?"/g)].map(([, label = '']) => label);
    return { metric, labels };
  });
}

import type { Swept } from '../../lib/retention/sweep.ts';
import { renderFacts } from '../program/table.ts';

/** The answer of `sweep` in `--json`. */
export interface SweepDocument {
  /** Nothing is left to do. */
  readonly finished: boolean;
  /** The UTC day that it counted from. */
  readonly day: string;
  /** Deleted one by one; those of dropped days are not counted. */
  readonly audit_rows: number;
  readonly prompts: number;
  readonly days_dropped: readonly string[];
  readonly days_made: readonly string[];
  /** Days that somebody else was busy with. */
  readonly days_postponed: readonly string[];
  readonly ms: number;
}

export function toSweepDocument(swept: Swept, ms: number): SweepDocument {
  return {
    finished: swept.finished,
    day: swept.today,
    audit_rows: swept.auditRows,
    prompts: swept.prompts,
    days_dropped: swept.dropped,
    days_made: swept.made,
    days_postponed: swept.postponed,
    ms: Math.round(ms),
  };
}

export function renderSweep(document: SweepDocument): readonly string[] {
  return renderFacts({
    'audit rows deleted': document.audit_rows.toLocaleString('en'),
    'prompts deleted': document.prompts.toLocaleString('en'),
    'days dropped': showDays(document.days_dropped),
    'days made': showDays(document.days_made),
    'days left for later': showDays(document.days_postponed),
    took: `${document.ms.toLocaleString('en')} ms`,
  });
}

function showDays(days: readonly string[]): string {
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) return 'none';
  if (days.length <= 8) return days.join(', ');
  return `${days.length} days, ${first} to ${last}`;
}

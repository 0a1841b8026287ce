import type { Names } from '../../lib/inspection/names.ts';
import type { Problem } from '../../lib/inspection/problem.ts';
import type { Verification } from '../../lib/inspection/verify-ledger.ts';
import { daysOf } from '../../lib/ledger/counter.ts';
import type { Counter, PeriodName } from '../../lib/ledger/counter.ts';
import { renderFacts } from '../program/table.ts';

/** One thing that does not add up, in `--json`. */
interface ProblemDocument {
  readonly kind: string;
  readonly message: string;
  readonly tenant: string | null;
  readonly key: string | null;
  readonly model: string | null;
  /** A day, a month, or `total`. */
  readonly period: string | null;
  /** What was summed up. */
  readonly field: string | null;
  readonly expected: number | null;
  readonly found: number | null;
  /** The admission id. */
  readonly id: string | null;
}

/** The answer of `verify-ledger` in `--json`. */
export interface VerificationDocument {
  readonly ok: boolean;
  /** Charged tokens of the audit rows, and of the ledger for the same days. */
  readonly audited: number;
  readonly ledger: number;
  /** Spent tokens of Redis's counters that stood still. */
  readonly redis: number;
  readonly open_holds: number;
  readonly problems: readonly ProblemDocument[];
  /** More than `problems` shows, if they are very many. */
  readonly problem_count: number;
  /** Of how many counters `redis` is the sum, and what the ledger has for the same. */
  readonly counters: number;
  readonly redis_expected: number;
  /** Counters that moved all the time, and so could not be compared; some, if they are very many. */
  readonly moving: readonly object[];
  readonly moving_count: number;
  /** Days whose audit rows are not all kept. */
  readonly unverifiable_days: readonly string[];
}

export function toVerificationDocument(
  { audit, counters, openHolds, problems, problemCount }: Verification,
  names: Names,
): VerificationDocument {
  return {
    ok: problemCount === 0,
    audited: audit.auditedTokens,
    ledger: audit.ledgerTokens,
    redis: counters.redisTokens,
    open_holds: openHolds,
    problems: problems.map((problem) => toProblemDocument(problem, names)),
    problem_count: problemCount,
    counters: counters.compared,
    redis_expected: counters.ledgerTokens,
    moving: someMoving(counters).map((counter) => toCounterDocument(counter, names)),
    moving_count: counters.moving.length,
    unverifiable_days: audit.unverifiableDays,
  };
}

/** As many as there may be problems. */
function someMoving({ moving }: Verification['counters']): Verification['counters']['moving'] {
  return moving.slice(0, MOST_NAMED);
}

/** Whose ids appear among the problems and the counters that move. */
export function findIds({ problems, counters }: Verification): {
  readonly tenantIds: readonly string[];
  readonly keyIds: readonly string[];
} {
  const named = problems.filter((problem) => problem.kind === 'audit_ledger');
  const scopes = [
    ...problems.flatMap((problem) => ('scope' in problem ? [problem.scope] : [])),
    ...someMoving(counters).map(({ scope }) => scope),
  ];
  const idsOf = (letter: string): readonly string[] =>
    scopes.filter((scope) => scope.startsWith(letter)).map((scope) => scope.slice(2));
  return {
    tenantIds: [...named.map(({ tenantId }) => tenantId), ...idsOf('t:')],
    keyIds: [...named.map(({ keyId }) => keyId), ...idsOf('k:')],
  };
}

export function renderVerification(document: VerificationDocument): readonly string[] {
  const { problems, unverifiable_days: days } = document;
  const hidden = document.problem_count - problems.length;
  return [
    ...renderFacts({
      verdict: document.ok ? 'all adds up' : `${show(document.problem_count)} problems`,
      'audited tokens': show(document.audited),
      'ledger tokens': `${show(document.ledger)} for the same days`,
      'redis tokens': `${show(document.redis)} in ${show(document.counters)} counters`,
      'ledger tokens of these': show(document.redis_expected),
      'open holds': show(document.open_holds),
      'moving counters': show(document.moving_count),
      'not verifiable': days.length === 0 ? 'none' : showDays(days),
    }),
    ...(problems.length === 0 ? [] : ['', 'Problems']),
    ...problems.map(({ message }) => `  - ${message}`),
    ...(hidden > 0 ? [`  and ${show(hidden)} more`] : []),
  ];
}

/** Counters that are named; their number is told apart. */
const MOST_NAMED = 1_000;

const NOTHING = {
  tenant: null,
  key: null,
  model: null,
  period: null,
  field: null,
  expected: null,
  found: null,
  id: null,
} as const;

function toProblemDocument(problem: Problem, names: Names): ProblemDocument {
  const { kind } = problem;
  switch (kind) {
    case 'audit_ledger': {
      const tenant = names.tenant(problem.tenantId);
      const key = names.key(problem.keyId);
      const { model, day: period, field, audited: expected, ledger: found } = problem;
      const whose = `${tenant}, ${key}, ${model}`;
      const message = `${period} ${whose}: the audit rows have ${expected} ${field}, the ledger has ${found}`;
      return { ...NOTHING, kind, message, tenant, key, model, period, field, expected, found };
    }
    case 'ledger_redis': {
      const { ledgerTokens: expected, spentTokens: found } = problem;
      return tellCounter(problem, names, { expected, found }, 'spent');
    }
    case 'held': {
      const { liveTokens: expected, heldTokens: found } = problem;
      return tellCounter(problem, names, { expected, found }, 'held');
    }
    case 'hold_without_lease':
      return { ...NOTHING, kind, message: `hold ${problem.id} has no lease`, id: problem.id };
    case 'lease_without_hold':
      return { ...NOTHING, kind, message: `lease ${problem.id} has no live hold`, id: problem.id };
    case 'stale_life': {
      const message = `Redis started anew and no gateway counts in shard ${problem.shard} yet`;
      return { ...NOTHING, kind, message };
    }
    case 'undrained': {
      const message = `${problem.count} events of shard ${problem.shard} wait and nobody brings them to Postgres`;
      return { ...NOTHING, kind, message, expected: 0, found: problem.count };
    }
    case 'rejected_events': {
      const message = `Postgres refused ${problem.count} events: gateway_meta.rejected_events`;
      return { ...NOTHING, kind, message, expected: 0, found: problem.count };
    }
  }
}

function tellCounter(
  problem: Extract<Problem, Counter>,
  names: Names,
  { expected, found }: { readonly expected: number; readonly found: number },
  field: 'spent' | 'held',
): ProblemDocument {
  const counter = toCounterDocument(problem, names);
  const whose = `${counter.key ?? counter.tenant ?? ''}, ${counter.period}`;
  const source = field === 'spent' ? 'the ledger has' : 'live holds have';
  const message = `${whose}: ${source} ${expected} tokens, Redis has ${found} ${field}`;
  return { ...NOTHING, ...counter, kind: problem.kind, message, field, expected, found };
}

interface CounterDocument {
  readonly tenant: string | null;
  readonly key: string | null;
  readonly period: string;
}

function toCounterDocument({ scope, period }: Counter, names: Names): CounterDocument {
  const id = scope.slice(2);
  const isKey = scope.startsWith('k:');
  return {
    tenant: isKey ? null : names.tenant(id),
    key: isKey ? names.key(id) : null,
    period: showPeriod(period),
  };
}

function showPeriod(period: PeriodName): string {
  const days = daysOf(period);
  if (days === null) return 'total';
  return period.startsWith('d') ? days.from : days.from.slice(0, 7);
}

function showDays(days: readonly string[]): string {
  return `${show(days.length)} days, ${days[0] ?? ''} to ${days.at(-1) ?? ''}`;
}

function show(count: number): string {
  return count.toLocaleString('en');
}

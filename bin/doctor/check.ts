import { describeError } from '../../lib/log/logger.ts';
import { inTime } from '../../lib/time/in-time.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { toCommandError } from '../program/to-command-error.ts';

/** What a look at something found. The texts hold no secret. */
export interface Finding {
  readonly status: 'pass' | 'warn' | 'fail';
  readonly seen: string;
  /** What to do; null where there is nothing to do. */
  readonly hint: string | null;
}

/** One line of `nzgw doctor`, as `--json` has it. */
export interface Check extends Finding {
  readonly name: string;
  /** Which of several things of the kind, an upstream say; null where there is one. */
  readonly about: string | null;
  readonly ms: number;
}

interface LookParts {
  readonly name: string;
  readonly about?: string;
  /** Of an error, in our words. */
  readonly translate?: (error: unknown) => unknown;
  readonly look: () => Promise<Finding> | Finding;
}

/** Beyond what a connection and its statements are given. */
const WITHIN_MS = 15_000;

export function pass(seen: string): Finding {
  return { status: 'pass', seen, hint: null };
}

export function warn(seen: string, hint: string | null): Finding {
  return { status: 'warn', seen, hint };
}

export function fail(seen: string, hint: string | null): Finding {
  return { status: 'fail', seen, hint };
}

/** Looks once, for at most 15 s. Whatever goes wrong is a finding: it never rejects. */
export async function examine(parts: LookParts): Promise<Check> {
  const { name, about = null, look, translate = asItIs } = parts;
  const startedMs = systemClock.monotonicMs();
  const finding = await inTime(WITHIN_MS, Promise.resolve().then(look), () =>
    fail(`no answer within ${WITHIN_MS / 1_000} s`, null),
  ).catch((error: unknown) => toFailure(translate(error)));
  const ms = Math.round((systemClock.monotonicMs() - startedMs) * 10) / 10;
  return { name, about, ...finding, ms };
}

function asItIs(error: unknown): unknown {
  return error;
}

/** An error as a finding, in words that may be shown. */
export function toFailure(error: unknown): Finding {
  const { message, details, hint, code } = toCommandError(error);
  if (code === 'internal_error') {
    const { 'error.type': type, 'error.code': reason = 'no code' } = describeError(error);
    return fail(`unexpected ${String(type)} (${String(reason)})`, null);
  }
  return fail([message, ...details].join('; '), hint);
}

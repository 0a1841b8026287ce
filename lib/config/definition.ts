import type { Kind } from './kinds.ts';

/** One setting, as validation, `nzgw config`, .env.example and docs/CONFIGURATION.md know it. */
export interface Definition<T> {
  /** Name in the environment. */
  readonly name: string;
  readonly kind: Kind<T>;
  /** Text of the default; undefined: required; null: may be absent. */
  readonly fallback: string | null | undefined;
  /** Shown in the documents where the default is computed. */
  readonly shownFallback?: string;
  readonly secret: boolean;
  /** SIGHUP does not change it: what it makes lives as long as the primary. */
  readonly needsRestart: boolean;
  readonly meaning: string;
}

export type OptionalDefinition<T> = Definition<T> & { readonly fallback: null };

const PLAIN = { secret: false, needsRestart: false };

export function required<T>(name: string, kind: Kind<T>, meaning: string): Definition<T> {
  return { name, kind, meaning, ...PLAIN, fallback: undefined };
}

export function optional<T>(name: string, kind: Kind<T>, meaning: string): OptionalDefinition<T> {
  return { name, kind, meaning, ...PLAIN, fallback: null };
}

export function withDefault<T>(
  name: string,
  kind: Kind<T>,
  fallback: string | number,
  meaning: string,
): Definition<T> {
  return { name, kind, meaning, ...PLAIN, fallback: String(fallback) };
}

/** Marks a setting whose value is never printed. */
export function hidden<D extends Definition<unknown>>(definition: D): D {
  return { ...definition, secret: true };
}

/** Marks a setting that keeps its value until the gateway is started again. */
export function lasting<D extends Definition<unknown>>(definition: D): D {
  return { ...definition, needsRestart: true };
}

import type { SettingsInForce } from '../config/load-settings.ts';

/** What a roll must know of a worker. */
export interface OnTrial {
  /** True once it listens, false if it does not. */
  readonly listens: PromiseWithResolvers<boolean>;
}

/** What a roll needs of the supervisor. */
export interface Crew<Child extends OnTrial> {
  /** Whether a worker runs with other settings. */
  hasOutdated(settings: SettingsInForce): boolean;
  /** Workers get these from now on, also those that take a dead one's place. */
  adopt(settings: SettingsInForce): void;
  /** One more worker, which nobody replaces if it ends; none where it cannot be had. */
  forkOnTrial(settings: SettingsInForce): Child | undefined;
  /**
   * The worker on trial stays, and its settings with it. Gives the one whose place it takes: one of
   * the outdated, or none where that has died meanwhile and would have been replaced.
   */
  takeOver(child: Child): Child | undefined;
  /** Drains a worker while others listen; resolves when it has ended. */
  retire(child: Child, graceMs: number): Promise<void>;
  discard(child: Child): void;
}

export interface RollParts<Child extends OnTrial> {
  readonly crew: Crew<Child>;
  readonly settings: SettingsInForce;
  /** How long a worker on trial may take until it listens. */
  readonly trialMs: number;
  /** Told of each worker that takes no more connections. */
  readonly onRetire: (child: Child) => void;
  /** The gateway ends. */
  readonly stop: AbortSignal;
}

/**
 * A new worker did not come up: `failed` if it was the first, and nothing has changed; `halted` if
 * others did before, and stay.
 */
export type RollEnd = 'done' | 'failed' | 'halted' | 'stopped';

/**
 * Replaces each worker by one with the new settings: first the new one listens, then the old one
 * drains, and ends before the next begins. So somebody listens at every moment, and there is never
 * more than one worker too many.
 */
export async function rollWorkers<Child extends OnTrial>(
  parts: RollParts<Child>,
): Promise<RollEnd> {
  const { crew, settings, stop, onRetire } = parts;
  // All have died just now, and are about to be replaced.
  if (!crew.hasOutdated(settings)) crew.adopt(settings);
  const isStopped = (): boolean => stop.aborted;
  let replaced = 0;
  while (crew.hasOutdated(settings)) {
    if (isStopped()) return 'stopped';
    const fresh = crew.forkOnTrial(settings);
    const listens = fresh !== undefined && (await waitForTrial(fresh, parts.trialMs));
    if (isStopped()) return 'stopped';
    if (!listens) {
      if (fresh) crew.discard(fresh);
      return replaced === 0 ? 'failed' : 'halted';
    }
    replaced += 1;
    const old = crew.takeOver(fresh);
    if (!old) continue;
    onRetire(old);
    await crew.retire(old, settings.settings.drainSeconds * 1_000);
  }
  return 'done';
}

async function waitForTrial(child: OnTrial, trialMs: number): Promise<boolean> {
  const deadline = setTimeout(() => {
    child.listens.resolve(false);
  }, trialMs);
  try {
    return await child.listens.promise;
  } finally {
    clearTimeout(deadline);
  }
}

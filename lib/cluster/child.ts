import type { Worker } from 'node:cluster';
import type { SettingsInForce } from '../config/load-settings.ts';

/** A running worker process. Its incarnation is never used twice, on any host. */
export interface Child {
  readonly incarnation: string;
  readonly worker: Worker;
  /** What it was started with. */
  readonly settings: SettingsInForce;
  /** True once it listens, false if it ends before. */
  readonly listens: PromiseWithResolvers<boolean>;
  /** Another takes its place when it ends: neither one on trial nor one that was replaced. */
  kept: boolean;
  /** Monotonic milliseconds of its last message: it says something every second. */
  heardAtMs: number;
}

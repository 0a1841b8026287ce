import { setTimeout as wait } from 'node:timers/promises';
import { run } from './command.ts';

const PAUSE_MS = 500;
const WITHIN_MS = 20_000;

export interface HealthWatch {
  /** Resolves once the check that runs has ended. */
  stop(): Promise<void>;
}

/** Makes the health check of every running container, one after the other, until it is stopped. */
export function watchHealth(env: NodeJS.ProcessEnv): HealthWatch {
  const stopped = new AbortController();
  const isStopped = (): boolean => stopped.signal.aborted;
  const options = { env, withinMs: WITHIN_MS };
  const watch = async (): Promise<void> => {
    while (!isStopped()) {
      const { out } = await run('podman', ['ps', '--quiet', '--filter', 'status=running'], options);
      for (const id of out.split('\n').filter((line) => line !== '')) {
        // One without a check, or that has just ended, is told so; nothing follows from it.
        if (!isStopped()) await run('podman', ['healthcheck', 'run', id], options);
      }
      await wait(PAUSE_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  const ended = watch();
  return {
    stop: () => {
      stopped.abort();
      return ended;
    },
  };
}

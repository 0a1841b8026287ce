import { systemClock } from '../../lib/time/clock.ts';

/** One Ctrl-C may come twice: from the terminal, and passed on by the process that started us. */
const SAME_MS = 500;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A person or a service manager wants an end. */
export class StopRequested extends Error {
  override readonly name = 'StopRequested';
}

export interface StopRequest {
  /** Aborts, with StopRequested, at the first signal, or when the process that started us is gone. */
  readonly signal: AbortSignal;
  /** Settles at that moment. */
  readonly requested: Promise<void>;
  /** Listens no more. */
  end(): void;
}

/**
 * Turns signals into an AbortSignal, so that whatever was started is ended in order. A second Ctrl-C
 * leaves at once; servers are then signalled by their exit handlers.
 */
export function listenForStop(): StopRequest {
  const controller = new AbortController();
  const { promise: requested, resolve } = Promise.withResolvers<undefined>();
  let requestedAtMs = 0;
  const stop = (): void => {
    if (controller.signal.aborted) {
      if (systemClock.monotonicMs() - requestedAtMs > SAME_MS) process.exit(130);
      return;
    }
    requestedAtMs = systemClock.monotonicMs();
    controller.abort(new StopRequested('stopped before it was done'));
    resolve(undefined);
  };
  for (const name of SIGNALS) process.on(name, stop);
  process.on('disconnect', stop);
  process.channel?.unref();
  return {
    signal: controller.signal,
    requested,
    end: () => {
      for (const name of SIGNALS) process.off(name, stop);
      process.off('disconnect', stop);
    },
  };
}

import pgListen from 'pg-listen';
import { inTime } from '../time/in-time.ts';
import { makePause } from '../time/pause.ts';
import { toClientConfig } from './postgres.ts';

export interface ListenerParts {
  readonly url: string;
  readonly applicationName: string;
  readonly channel: string;
  /** Bounds connecting and every statement. */
  readonly timeoutMs: number;
  /** Something was said; or may have been, while nobody listened. */
  readonly onNotice: () => void;
  /** The connection was lost or refused; another is made. */
  readonly onTrouble: (error: unknown) => void;
}

export interface Listener {
  stop(): Promise<void>;
}

/** pg-listen asks this often whether its connection lives. */
const CHECK_EVERY_MS = 5_000;
const RETRY_MS = 500;
const CLOSE_WITHIN_MS = 500;
/** Its loop ends at this number, so one try: the loop here is the one that never gives up. */
const ONE_TRY = 2;

/**
 * Listens to one channel of Postgres on a connection of its own, for as long as the process lives.
 * What is said is not passed on: a notification is a hint to look, whoever sent it.
 */
export function startListening(parts: ListenerParts): Listener {
  const pause = makePause();
  const stopping = Promise.withResolvers<undefined>();
  let stopped = false;
  const isStopped = () => stopped;

  async function listen(): Promise<void> {
    const subscriber = pgListen.default(toClientConfig(parts), {
      paranoidChecking: CHECK_EVERY_MS,
      retryLimit: ONE_TRY,
      retryTimeout: 0,
      parse: () => undefined,
    });
    const lost = Promise.withResolvers<Error>();
    let closed = false;
    subscriber.events.on('notification', parts.onNotice);
    // It may still have been about to connect anew when it was closed; then it checks a connection,
    // living or lost, until it is closed once more.
    subscriber.events.on('error', (error) => {
      if (closed) void subscriber.close().catch(() => undefined);
      else lost.resolve(error);
    });
    subscriber.events.on('connected', () => {
      if (closed) void subscriber.close().catch(() => undefined);
      else parts.onNotice();
    });
    const begin = async (): Promise<Error> => {
      await subscriber.connect();
      await subscriber.listenTo(parts.channel);
      parts.onNotice();
      return lost.promise;
    };
    try {
      const error = await Promise.race([begin(), stopping.promise]);
      if (error) parts.onTrouble(error);
    } finally {
      closed = true;
      // A dead network answers no farewell.
      const farewell = subscriber.close().catch(() => undefined);
      await inTime<unknown>(CLOSE_WITHIN_MS, farewell, () => undefined);
    }
  }

  async function run(): Promise<void> {
    while (!isStopped()) {
      await listen().catch(parts.onTrouble);
      if (!isStopped()) await pause.wait(RETRY_MS);
    }
  }

  const done = run();
  return {
    stop: () => {
      stopped = true;
      stopping.resolve(undefined);
      pause.wake();
      return done;
    },
  };
}

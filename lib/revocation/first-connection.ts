import type { PostgresClient } from '../store/postgres.ts';
import { waitAtMost } from './bounded.ts';

/** A new client, not connected yet, which gives connecting up after so long. */
export type MakeClient = (connectTimeoutMs: number) => PostgresClient;

/** A far server takes several round trips. */
const CONNECT_MS = 1_500;
/** So that a connection is begun soon after a network is back, whatever became of those before. */
const ANOTHER_AFTER_MS = 300;
const CLOSE_MS = 500;

/**
 * Lends the connection that stands first, and ends it. A network that was silent and is back may have
 * forgotten a connection that is being made: so others are begun beside it until it is given up.
 * Rejects as the first of them and the act do.
 */
export async function withFirstConnection(
  makeClient: MakeClient,
  act: (client: PostgresClient) => Promise<void>,
): Promise<void> {
  const client = await connectFirst(makeClient);
  try {
    await act(client);
  } finally {
    await waitAtMost(client.end(), CLOSE_MS);
  }
}

async function connectFirst(makeClient: MakeClient): Promise<PostgresClient> {
  const { promise, resolve, reject } = Promise.withResolvers<PostgresClient>();
  const begun: PostgresClient[] = [];
  const begin = async (): Promise<void> => {
    const client = makeClient(CONNECT_MS);
    begun.push(client);
    await client.connect();
    resolve(client);
  };
  begin().catch(reject);
  const timer = setInterval(() => {
    begin().catch(() => undefined);
  }, ANOTHER_AFTER_MS);
  let first: PostgresClient | undefined;
  try {
    first = await promise;
    return first;
  } finally {
    clearInterval(timer);
    // One that is never answered ends at its time-out: nobody waits for that.
    for (const client of begun) {
      if (client !== first) void client.end().catch(() => undefined);
    }
  }
}

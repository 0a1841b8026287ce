import { inTime } from '../time/in-time.ts';
import type { PostgresClient } from './postgres.ts';

/** A server that says nothing is not waited for at the end. */
const CLOSE_MS = 500;

/** Lends a connection of its own, and ends it on every path. Rejects with what connecting or `act` threw. */
export async function withClient<T>(
  makeClient: () => PostgresClient,
  act: (client: PostgresClient) => Promise<T>,
): Promise<T> {
  const client = makeClient();
  try {
    await client.connect();
    return await act(client);
  } finally {
    const ended = client.end().catch(() => undefined);
    await inTime<unknown>(CLOSE_MS, ended, () => undefined);
  }
}

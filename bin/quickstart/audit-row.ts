import { z } from 'zod';
import { makeClient } from '../../lib/store/postgres.ts';
import { waitFor } from './wait-for.ts';

const WITHIN_MS = 10_000;
const TIMEOUT_MS = 5_000;

const rowShape = z.object({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  status: z.number(),
  outcome: z.string(),
});

export type AuditRow = z.infer<typeof rowShape>;

/** The audit row of a request, once the gateway has moved it to Postgres. */
export async function readAuditRow(
  databaseUrl: string,
  requestId: string,
  signal: AbortSignal,
): Promise<AuditRow> {
  const client = makeClient({
    url: databaseUrl,
    applicationName: 'nzgw quickstart',
    timeoutMs: TIMEOUT_MS,
  });
  try {
    await client.connect();
    return await waitFor(
      async () => {
        const { rows } = await client.query<Record<string, unknown>>(
          `select prompt_tokens, completion_tokens, status, outcome
             from gateway.audit_log where id = $1`,
          [requestId],
        );
        return rows[0] && rowShape.parse(rows[0]);
      },
      { withinMs: WITHIN_MS, what: 'the audit row of the chat', signal },
    );
  } finally {
    await client.end();
  }
}

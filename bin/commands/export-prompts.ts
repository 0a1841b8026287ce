import { readPrompts } from '../../lib/promptlog/read-prompts.ts';
import type { PromptCursor, PromptEntry } from '../../lib/promptlog/read-prompts.ts';
import type { Pool } from '../../lib/store/postgres.ts';
import { findKey } from '../../lib/tenants/find-key.ts';
import { findTenant } from '../../lib/tenants/find-tenant.ts';
import type { Queries } from '../../lib/tenants/queries.ts';
import { usageError } from '../program/command-error.ts';
import type { CommandError } from '../program/command-error.ts';
import { defineCommand } from '../program/command.ts';
import { withDatabase } from '../program/database.ts';
import { EXIT } from '../program/exit-code.ts';
import { TENANT } from '../program/positionals.ts';
import { wholeNumber } from '../values/count.ts';
import { since } from '../values/since.ts';
import { label } from '../values/text.ts';
import { readOptions } from '../values/value.ts';
import { toPromptDocument } from '../views/prompt-view.ts';

/** Entries may have a MiB each. */
const PAGE = 20;
const DOCUMENT_ENTRIES = 100;
/** A document is put together as a whole: beyond this it ends, and its cursor goes on. */
const DOCUMENT_BYTES = 64 * 1_048_576;

export const exportPrompts = defineCommand({
  name: 'export-prompts',
  summary: 'Opens what the prompt log has of a tenant: a line of JSON an entry, oldest first.',
  positionals: [TENANT],
  options: [
    { name: 'key', placeholder: 'KEY', meaning: 'Of this key alone.' },
    {
      name: 'since',
      placeholder: 'WHEN',
      meaning: '7d, 24h, today, 2026-11-23; whole UTC days, the first one included.',
    },
    {
      name: 'limit',
      placeholder: 'N',
      meaning: `How many at most; all, or ${DOCUMENT_ENTRIES} with --json.`,
    },
    { name: 'cursor', placeholder: 'TEXT', meaning: 'Goes on behind a `next_cursor`.' },
  ],
  examples: [
    'nzgw export-prompts acme --since today',
    'nzgw export-prompts acme --key nz_4fGh2KpQx7Yt --json --limit 10',
  ],
  needs: ['databaseUrl', 'promptLogKey'],
  async run(context) {
    const { output, options, positionals, clock, settings } = context;
    const input = readOptions(
      {
        key: label(1, 200).optional(),
        since: since(clock.wallMs()).optional(),
        limit: wholeNumber(1, 1_000_000).optional(),
        cursor: label(1, 200).optional(),
      },
      options,
    );
    const secret = settings.promptLogKey;
    if (secret === null) throw noSecret();
    const [reference = ''] = positionals;
    const most = input.limit ?? (output.json ? DOCUMENT_ENTRIES : Infinity);
    const gathered: PromptEntry[] = [];
    let gatheredBytes = 0;
    let unopened = 0;

    const last = await withDatabase(context, async (queries, pool) => {
      const tenant = await findTenant(queries, reference);
      const keyId = input.key === undefined ? null : (await findOwn(queries, input.key, tenant)).id;
      const question = { tenantId: tenant.id, keyId, sinceDay: input.since ?? null };
      const pages = readPages(pool, secret, { ...question, after: readCursor(input.cursor) });
      return takeEntries(pages, most, (entry) => {
        if (entry.text === null) unopened += 1;
        if (!output.json) return output.line(toPromptDocument(entry));
        gathered.push(entry);
        gatheredBytes += entry.sealedBytes;
        return gatheredBytes < DOCUMENT_BYTES;
      });
    });
    if (output.json) output.page(gathered.map(toPromptDocument), last && writeCursor(last));
    if (unopened === 0) return EXIT.done;
    output.warn(`${unopened} entries were sealed with another NZGW_PROMPT_LOG_KEY, or changed.`);
    return EXIT.checkFailed;
  },
});

async function findOwn(
  queries: Queries,
  reference: string,
  tenant: { readonly id: string; readonly slug: string },
): Promise<{ readonly id: string }> {
  const key = await findKey(queries, reference);
  if (key.tenantId === tenant.id) return key;
  throw usageError(`key ${reference} is of tenant "${key.tenant}", not of "${tenant.slug}"`);
}

type Question = Omit<Parameters<typeof readPrompts>[2], 'limit'>;

async function* readPages(
  pool: Pool,
  secret: string,
  question: Question,
): AsyncGenerator<PromptEntry, void> {
  let { after } = question;
  for (;;) {
    const page = await readPrompts(pool, secret, { ...question, after, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    after = last.cursor;
  }
}

/** `take` tells whether there is room for more. Resolves with the last one taken where there are more. */
async function takeEntries(
  entries: AsyncIterable<PromptEntry>,
  most: number,
  take: (entry: PromptEntry) => boolean | Promise<boolean>,
): Promise<PromptCursor | null> {
  let taken = 0;
  let hasRoom = true;
  let last: PromptCursor | null = null;
  for await (const entry of entries) {
    if (taken === most || !hasRoom) return last;
    hasRoom = await take(entry);
    taken += 1;
    last = entry.cursor;
  }
  return null;
}

function writeCursor({ createdAt, id }: PromptCursor): string {
  return Buffer.from(`${createdAt} ${id}`).toString('base64url');
}

function readCursor(text: string | undefined): PromptCursor | null {
  if (text === undefined) return null;
  const [, createdAt, id] =
    /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[\d.]{0,7}[+-][\d:]{2,8}) ([0-9a-f-]{36})$/.exec(
      Buffer.from(text, 'base64url').toString('latin1'),
    ) ?? [];
  if (createdAt === undefined || id === undefined) throw usageError('--cursor is none of ours');
  return { createdAt, id };
}

function noSecret(): CommandError {
  return usageError('NZGW_PROMPT_LOG_KEY is not set: the entries are sealed with it');
}

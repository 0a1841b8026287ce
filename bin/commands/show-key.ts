import { findKey } from '../../lib/tenants/find-key.ts';
import { defineCommand } from '../program/command.ts';
import { withDatabase } from '../program/database.ts';
import { EXIT } from '../program/exit-code.ts';
import { KEY } from '../program/positionals.ts';
import { renderFacts } from '../program/table.ts';
import { toKeyDocument, toKeyFacts } from '../views/key-view.ts';

export const showKey = defineCommand({
  name: 'show-key',
  summary: 'Shows a key, its limits and its state.',
  positionals: [KEY],
  options: [],
  examples: ['nzgw show-key nz_4fGh2KpQx7Yt', 'nzgw show-key 4fGh'],
  needs: ['databaseUrl'],
  async run(context) {
    const [reference = ''] = context.positionals;
    const nowMs = context.clock.wallMs();
    const key = await withDatabase(context, (queries) => findKey(queries, reference));
    context.output.answer(toKeyDocument(key, nowMs), () => renderFacts(toKeyFacts(key, nowMs)));
    return EXIT.done;
  },
});

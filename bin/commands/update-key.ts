import { updateKey as changeKey } from '../../lib/tenants/update-key.ts';
import { defineCommand } from '../program/command.ts';
import { withDatabase } from '../program/database.ts';
import { EXIT } from '../program/exit-code.ts';
import { KEY } from '../program/positionals.ts';
import { renderFacts } from '../program/table.ts';
import { demandChange } from '../values/demand-change.ts';
import { expiry } from '../values/expiry.ts';
import { checkPromptLog, KEY_OPTIONS, keyShape, toAllowAll } from '../values/key-options.ts';
import { toGivenLimits } from '../values/limits.ts';
import { readOptions } from '../values/value.ts';
import { toKeyDocument, toKeyFacts } from '../views/key-view.ts';

export const updateKey = defineCommand({
  name: 'update-key',
  summary: 'Changes limits, models, expiry or the name; what is not named stays.',
  positionals: [KEY],
  options: KEY_OPTIONS,
  examples: [
    'nzgw update-key nz_4fGh2KpQx7Yt --rpm 10 --expires 30d',
    'nzgw update-key 4fGh --inherit-models --models none',
  ],
  needs: ['databaseUrl', 'promptLogKey'],
  async run(context) {
    const nowMs = context.clock.wallMs();
    const input = readOptions({ ...keyShape, expires: expiry(nowMs).optional() }, context.options);
    demandChange(input);
    checkPromptLog(input, context.settings);
    const allowAllModels = toAllowAll(input);
    const [reference = ''] = context.positionals;
    const key = await withDatabase(context, (queries) =>
      changeKey(queries, reference, {
        name: input.name,
        expiresAt: input.expires,
        allowAllModels,
        allowedModels: input.models,
        promptLog: input['prompt-log'],
        promptLogDays: input['prompt-log-days'],
        limits: toGivenLimits(input),
      }),
    );
    context.output.answer(toKeyDocument(key, nowMs), () => renderFacts(toKeyFacts(key, nowMs)));
    return EXIT.done;
  },
});

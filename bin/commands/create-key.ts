import { hashKey } from '../../lib/auth/hash-key.ts';
import { makeKey } from '../../lib/auth/key-format.ts';
import { makeSecretTag } from '../../lib/auth/secret-tag.ts';
import { createKey as insertKey, findOpenTenant } from '../../lib/tenants/create-key.ts';
import type { Key } from '../../lib/tenants/key.ts';
import type { Tenant } from '../../lib/tenants/tenant.ts';
import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';
import { defineCommand } from '../program/command.ts';
import { withDatabase } from '../program/database.ts';
import { EXIT } from '../program/exit-code.ts';
import type { Output } from '../program/output.ts';
import { TENANT } from '../program/positionals.ts';
import { actAsWhole } from '../program/whole-act.ts';
import { expiry } from '../values/expiry.ts';
import { checkPromptLog, KEY_OPTIONS, keyShape, toAllowAll } from '../values/key-options.ts';
import { toGivenLimits } from '../values/limits.ts';
import { readOptions } from '../values/value.ts';
import { showExpiry, toMadeKeyDocument, toPrefix } from '../views/key-view.ts';
import { isDenied } from '../views/tenant-view.ts';

export const createKey = defineCommand({
  name: 'create-key',
  summary: 'Makes a key and prints it, alone, once: only its hash is kept.',
  positionals: [TENANT],
  options: KEY_OPTIONS,
  examples: [
    'nzgw create-key acme --name laptop --expires 90d',
    'KEY=$(nzgw create-key acme --name ci --models llama3:8b --budget 1M/day)',
  ],
  needs: [
    'databaseUrl',
    'keyPepper',
    'argon2MemoryKib',
    'argon2Passes',
    'argon2Lanes',
    'promptLogKey',
  ],
  async run(context) {
    const input = readOptions(
      { ...keyShape, expires: expiry(context.clock.wallMs()).optional() },
      context.options,
    );
    const allowAllModels = toAllowAll(input) ?? null;
    checkPromptLog(input, context.settings);
    const [reference = ''] = context.positionals;
    const { settings } = context;
    const made = await withDatabase(context, async (queries, pool) => {
      const tenant = await findOpenTenant(queries, reference);
      const { key: secret, publicId } = makeKey();
      const hash = await hashKey(secret, {
        memoryKib: settings.argon2MemoryKib,
        passes: settings.argon2Passes,
        lanes: settings.argon2Lanes,
      });
      const wanted = {
        publicId,
        hash,
        secretTag: makeSecretTag(settings.keyPepper, secret),
        name: input.name ?? '',
        expiresAt: input.expires ?? null,
        allowAllModels,
        allowedModels: input.models ?? null,
        promptLog: input['prompt-log'],
        promptLogDays: input['prompt-log-days'],
        limits: { ...NO_LIMITS, ...toGivenLimits(input) },
      };
      const prefix = toPrefix({ publicId });
      const key = await actAsWhole(pool, context.clock, (tx) => insertKey(tx, tenant, wanted), {
        whether: `whether key ${prefix} was made`,
        hint: `nzgw show-key ${prefix}: if it is there nobody has it, so revoke it`,
      });
      return { key, secret, tenant };
    });
    tell(context.output, made);
    return EXIT.done;
  },
});

interface Made {
  readonly key: Key;
  readonly secret: string;
  readonly tenant: Tenant;
}

function tell(output: Output, { key, secret, tenant }: Made): void {
  const named = key.name === '' ? '' : ` "${key.name}"`;
  output.note(
    `Key ${toPrefix(key)}${named} for tenant ${key.tenant}, expires: ${showExpiry(key.expiresAt)}.`,
  );
  if (key.tenantStatus === 'suspended') output.note('The tenant is suspended: it will be refused.');
  if (isDenied(tenant) && key.allowAllModels !== true) {
    output.note(`The tenant may use no model yet: nzgw update-tenant ${tenant.slug} --models …`);
  }
  output.note('This is the only time the key is shown. Store it now.');
  output.answer(toMadeKeyDocument(key, secret), () => [secret]);
}

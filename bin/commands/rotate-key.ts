import { hashKey } from '../../lib/auth/hash-key.ts';
import { makeKey } from '../../lib/auth/key-format.ts';
import { makeSecretTag } from '../../lib/auth/secret-tag.ts';
import { rotateKey as replaceKey } from '../../lib/tenants/rotate-key.ts';
import type { Rotation } from '../../lib/tenants/rotate-key.ts';
import { defineCommand } from '../program/command.ts';
import { actAndConfirm, describeConfirmed, toExitCode } from '../program/confirmed-act.ts';
import type { ConfirmedAct } from '../program/confirmed-act.ts';
import type { Output } from '../program/output.ts';
import { KEY } from '../program/positionals.ts';
import { grace } from '../values/grace.ts';
import { readOptions } from '../values/value.ts';
import { showExpiry, toMadeKeyDocument, toPrefix } from '../views/key-view.ts';
import { toTime } from '../views/limits-view.ts';

const DAY_SECONDS = 86_400;

export const rotateKey = defineCommand({
  name: 'rotate-key',
  summary: 'Makes a key like another, prints it once, and ends the old one after a grace.',
  positionals: [KEY],
  options: [
    {
      name: 'grace',
      placeholder: 'TIME',
      meaning: 'How long the old key goes on: 24h (the default), 7d, or 0 to revoke it at once.',
    },
  ],
  examples: ['nzgw rotate-key nz_4fGh2KpQx7Yt', 'KEY=$(nzgw rotate-key 4fGh --grace 0)'],
  needs: [
    'databaseUrl',
    'trustLeaseMs',
    'keyPepper',
    'argon2MemoryKib',
    'argon2Passes',
    'argon2Lanes',
  ],
  async run(context) {
    const input = readOptions({ grace: grace().optional() }, context.options);
    const [reference = ''] = context.positionals;
    const { settings } = context;
    const { key: secret, publicId } = makeKey();
    const hash = await hashKey(secret, {
      memoryKib: settings.argon2MemoryKib,
      passes: settings.argon2Passes,
      lanes: settings.argon2Lanes,
    });
    const secretTag = makeSecretTag(settings.keyPepper, secret);
    const prefix = toPrefix({ publicId });
    const act = await actAndConfirm(
      context,
      (queries) =>
        replaceKey(queries, reference, { publicId, hash, secretTag }, input.grace ?? DAY_SECONDS),
      {
        whether: `whether key ${prefix} takes the place of ${reference}`,
        hint: `nzgw show-key ${prefix}: if it is there nobody has it, so rotate that one`,
      },
    );
    tell(context.output, act, secret);
    return toExitCode(act.confirmed);
  },
});

function tell(output: Output, act: ConfirmedAct<Rotation>, secret: string): void {
  const { done, confirmed } = act;
  const { key, old } = done;
  output.note(`Key ${toPrefix(key)} for tenant ${key.tenant} takes the place of ${toPrefix(old)}.`);
  output.note(
    confirmed
      ? `The old key is revoked: ${describeConfirmed(confirmed)}.`
      : `The old key expires: ${showExpiry(old.expiresAt)}. What the new one uses is counted anew.`,
  );
  output.note('This is the only time the key is shown. Store it now.');
  output.answer(
    {
      ...toMadeKeyDocument(key, secret),
      replaces: {
        id: old.id,
        prefix: toPrefix(old),
        status: old.status,
        expires_at: toTime(old.expiresAt),
        confirmed: confirmed?.confirmed ?? null,
        gateways: confirmed?.gateways ?? null,
        ms: confirmed?.ms ?? null,
      },
    },
    () => [secret],
  );
}

import { readPublicId } from '../../lib/auth/key-format.ts';
import { matchSecretTag } from '../../lib/auth/secret-tag.ts';
import { findKeyWithSecret } from '../../lib/tenants/find-key.ts';
import type { StoredSecret } from '../../lib/tenants/find-key.ts';
import type { Key } from '../../lib/tenants/key.ts';
import runArgon2 from '../../workers/argon2.ts';
import { usageError } from '../program/command-error.ts';
import { defineCommand } from '../program/command.ts';
import type { Context } from '../program/command.ts';
import { withDatabase } from '../program/database.ts';
import { EXIT } from '../program/exit-code.ts';
import { readLine } from '../program/read-stdin.ts';
import { isExpired, toPrefix } from '../views/key-view.ts';
import { toTime } from '../views/limits-view.ts';

const MAX_STDIN_BYTES = 4_096;

/** What the gateway would make of the key, and the sentence for it. */
const VERDICTS = {
  active: 'would be accepted',
  malformed: 'is no key: its form or its checksum is wrong',
  unknown: 'is not known: no key has this id',
  wrong_secret: 'has the id of a key, but not its secret',
  wrong_pepper: 'is right, but was made under another NZGW_KEY_PEPPER',
  revoked: 'is revoked',
  expired: 'is expired',
  tenant_closed: 'belongs to a tenant that is closed',
  tenant_suspended: 'belongs to a tenant that is suspended',
} as const;

type Verdict = keyof typeof VERDICTS;

type Needs = 'databaseUrl' | 'keyPepper' | 'keyPepperPrevious';

export const verifyKey = defineCommand({
  name: 'verify-key',
  summary: 'Tells whether the gateway would accept the key on stdin; exit 4 if not.',
  positionals: [],
  options: [],
  examples: ['printf %s "$KEY" | nzgw verify-key', 'nzgw verify-key --json < key.txt'],
  needs: ['databaseUrl', 'keyPepper', 'keyPepperPrevious'],
  async run(context) {
    if (context.stdin.isTTY === true) context.output.note('Paste the key, then Enter:');
    const presented = await readLine(context.stdin, MAX_STDIN_BYTES);
    if (presented === '') throw usageError('no key on stdin', 'nzgw verify-key < key.txt');

    const { verdict, key } = await judge(context, presented);
    const document = {
      ok: verdict === 'active',
      prefix: key === undefined ? null : toPrefix(key),
      tenant: key?.tenant ?? null,
      status: verdict,
      tenant_status: key?.tenantStatus ?? null,
      expires_at: toTime(key?.expiresAt ?? null),
    };
    const subject = key === undefined ? 'The key' : `${toPrefix(key)} (${key.tenant})`;
    context.output.answer(document, () => [`${subject} ${VERDICTS[verdict]}.`]);
    return verdict === 'active' ? EXIT.done : EXIT.notPermitted;
  },
});

interface Judgement {
  readonly verdict: Verdict;
  readonly key?: Key;
}

/** In the order of SPEC §4; what is malformed needs no database. */
async function judge(context: Context<Needs>, presented: string): Promise<Judgement> {
  const publicId = readPublicId(presented);
  if (publicId === undefined) return { verdict: 'malformed' };

  const known = await withDatabase(context, (queries) => findKeyWithSecret(queries, publicId));
  if (known === undefined) return { verdict: 'unknown' };
  const { key, stored } = known;
  const verdict =
    judgeSecret(context, presented, stored) ?? judgeStatus(key, context.clock.wallMs());
  return { verdict, key };
}

/** undefined: the secret is right. */
function judgeSecret(
  { settings }: Context<Needs>,
  presented: string,
  { hash, secretTag }: StoredSecret,
): Verdict | undefined {
  const peppers = { current: settings.keyPepper, previous: settings.keyPepperPrevious };
  const isRight = runArgon2({ type: 'verify', key: presented, hash }) === true;
  if (!isRight) return 'wrong_secret';
  const isTagged = secretTag === null || matchSecretTag(peppers, presented, secretTag) !== 'none';
  return isTagged ? undefined : 'wrong_pepper';
}

function judgeStatus(key: Key, nowMs: number): Verdict {
  if (key.status === 'revoked') return 'revoked';
  if (isExpired(key, nowMs)) return 'expired';
  if (key.tenantStatus === 'closed') return 'tenant_closed';
  return key.tenantStatus === 'suspended' ? 'tenant_suspended' : 'active';
}

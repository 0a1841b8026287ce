import { readNames } from '../../lib/inspection/names.ts';
import { verifyLedger as verify } from '../../lib/inspection/verify-ledger.ts';
import { defineCommand } from '../program/command.ts';
import { EXIT } from '../program/exit-code.ts';
import { withStores } from '../program/stores.ts';
import { findIds, renderVerification, toVerificationDocument } from '../views/verification-view.ts';

/** A day of audit rows is summed up in one statement. */
const STATEMENT_MS = 120_000;

export const verifyLedger = defineCommand({
  name: 'verify-ledger',
  summary: 'Proves that audit, ledger and Redis tell the same; changes nothing; exit 8 if not.',
  positionals: [],
  options: [],
  examples: ['nzgw verify-ledger', 'nzgw verify-ledger --json'],
  needs: ['databaseUrl', 'redisUrl'],
  async run(context) {
    const document = await withStores(
      context,
      async (stores) => {
        const verification = await verify(stores);
        const names = await readNames(stores.queries, findIds(verification));
        return toVerificationDocument(verification, names);
      },
      { timeoutMs: STATEMENT_MS },
    );
    context.output.answer(document, () => renderVerification(document));
    return document.ok ? EXIT.done : EXIT.checkFailed;
  },
});

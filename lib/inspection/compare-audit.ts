import type { Queries } from '../tenants/queries.ts';
import { listDays, readDaySums, SUMMED } from './audit-sums.ts';
import type { DaySums } from './audit-sums.ts';
import type { Problem } from './problem.ts';

export interface AuditComparison {
  /** Charged tokens of the audit rows that were compared. */
  readonly auditedTokens: number;
  /** Those of the ledger for the same tenants and days. */
  readonly ledgerTokens: number;
  /** Days on which some tenant's rows are not all kept, oldest first. */
  readonly unverifiableDays: readonly string[];
  readonly problems: readonly Problem[];
}

/** Proves that the ledger is the sum of the audit rows, day by day, over what is kept (SPEC §7). */
export async function compareAudit(queries: Queries): Promise<AuditComparison> {
  let auditedTokens = 0;
  let ledgerTokens = 0;
  const unverifiableDays: string[] = [];
  const problems: Problem[] = [];
  for (const day of await listDays(queries)) {
    const all = await readDaySums(queries, day);
    const kept = all.filter((sums) => sums.kept);
    if (kept.length < all.length) unverifiableDays.push(day);
    for (const sums of kept) {
      auditedTokens += sums.audited.charged_tokens;
      ledgerTokens += sums.ledger.charged_tokens;
      problems.push(...findDifferences(day, sums));
    }
  }
  return { auditedTokens, ledgerTokens, unverifiableDays, problems };
}

function findDifferences(day: string, sums: DaySums): readonly Problem[] {
  const { tenantId, keyId, model } = sums;
  return SUMMED.filter((field) => sums.audited[field] !== sums.ledger[field]).map((field) => ({
    kind: 'audit_ledger',
    tenantId,
    keyId,
    model,
    day,
    field,
    audited: sums.audited[field],
    ledger: sums.ledger[field],
  }));
}

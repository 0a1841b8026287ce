import { expect } from 'chai';
import { compareAudit } from '../../../lib/inspection/compare-audit.ts';
import { sweep } from '../../../lib/retention/sweep.ts';
import type { Swept } from '../../../lib/retention/sweep.ts';
import { readSqlState } from '../../../lib/store/postgres.ts';
import type { Connection } from '../../../lib/store/postgres.ts';
import { openRetentionWorld } from '../../support/retention-world.ts';
import type { Account, RetentionWorld } from '../../support/retention-world.ts';

const COMING = [-7, -6, -5, -4, -3, -2, -1, 0];

describe('retention/sweep', function () {
  this.timeout(30_000);
  let world: RetentionWorld;

  beforeEach(async () => {
    world = await openRetentionWorld();
  });
  afterEach(() => world.close());

  const sweepAt = (
    ago: number,
    mayGoOn: () => boolean = () => true,
    client: Connection = world.client,
  ): Promise<Swept> => sweep(client, { wallDay: world.day(ago), mayGoOn });

  const toDay = (ago: number): string => world.day(ago);
  const addDays = async (account: Account, ...days: readonly number[]): Promise<void> => {
    for (const ago of days) await world.addRows(account, ago);
  };

  /** What verify-ledger says of the days that it can judge. */
  const findDifferences = async (): Promise<readonly unknown[]> =>
    (await compareAudit(world.sql)).problems;

  it('keeps each tenant’s rows for its own days, and drops days beyond the longest of all', async () => {
    const brief = await world.makeAccount(1);
    const lasting = await world.makeAccount(90);
    for (const account of [brief, lasting]) await addDays(account, 0, 1, 2, 89, 90, 91, 92);
    const before = await world.readLedger(brief);

    const swept = await sweepAt(0);
    expect(swept).to.deep.include({ today: world.day(0), finished: true, postponed: [] });
    expect(swept.dropped).to.deep.equal([world.day(92), world.day(91)]);
    expect(swept.auditRows).to.equal(3);
    expect(await world.readRows(brief)).to.deep.equal(['0:1', '1:1']);
    expect(await world.readRows(lasting)).to.deep.equal(['0:1', '1:1', '2:1', '89:1', '90:1']);
    expect(await world.readPartitions()).to.deep.equal([...COMING, 1, 2, 89, 90]);

    expect(before).to.deep.equal(['0:3', '1:3', '2:3', '89:3', '90:3', '91:3', '92:3']);
    expect(await world.readLedger(brief)).to.deep.equal([
      ...['0:3', '1:3', '2:3 sealed', '89:3 sealed', '90:3 sealed', '91:3 sealed', '92:3 sealed'],
    ]);
    expect((await world.readLedger(lasting)).slice(3)).to.deep.equal([
      ...['89:3', '90:3', '91:3 sealed', '92:3 sealed'],
    ]);
  });

  it('leaves nothing for a second one, and makes the days to come once', async () => {
    const account = await world.makeAccount(5);
    await addDays(account, 0, 5, 6, 7);
    const first = await sweepAt(0);
    expect(first.made).to.deep.equal(COMING.slice(0, -1).reverse().map(toDay));
    const second = await sweepAt(0);
    expect(second).to.deep.equal({
      ...{ today: world.day(0), made: [], dropped: [], postponed: [], refused: [] },
      ...{ auditRows: 0, prompts: 0, finished: true, trouble: undefined },
    });
  });

  it('does all other days where Postgres refuses some, and is not finished', async () => {
    const brief = await world.makeAccount(1);
    const lasting = await world.makeAccount(7);
    for (const account of [brief, lasting]) await addDays(account, 3, 4, 5, 8, 9, 10);
    const nameOf = (ago: number): string => `gateway.audit_log_${toDay(ago).replaceAll('-', '')}`;
    // Somebody built upon a day that is to be dropped; one that is to be thinned cannot be written to.
    await world.sql.query(`create view public.of_that_day as select * from ${nameOf(9)}`);
    await world.sql.query(
      `create function public.refuse() returns trigger language plpgsql
       as $$ begin raise exception 'a bad block'; end $$;
       create trigger refuse before delete on ${nameOf(4)}
       for each row execute function public.refuse()`,
    );

    const swept = await sweepAt(0);
    expect(swept.dropped).to.deep.equal([10, 8].map(toDay));
    expect(swept).to.deep.include({ auditRows: 2, postponed: [], finished: false });
    expect(swept.refused).to.deep.equal([9, 4].map(toDay));
    expect(readSqlState(swept.trouble)).to.equal('2BP01');
    expect(await world.readRows(brief)).to.deep.equal(['4:1', '9:1']);
    expect(await world.readRows(lasting)).to.deep.equal(['3:1', '4:1', '5:1', '9:1']);

    await world.sql.query(`drop view public.of_that_day; drop function public.refuse cascade`);
    const second = await sweepAt(0);
    expect(second.dropped).to.deep.equal([toDay(9)]);
    expect(second).to.deep.include({ auditRows: 1, finished: true, trouble: undefined });
    expect(await findDifferences()).to.deep.equal([]);
  });

  it('goes by the caller’s day while that is the earlier one', async () => {
    const brief = await world.makeAccount(1);
    await world.makeAccount(90);
    await addDays(brief, 0, 1, 2, 3, 4, 5, 6);
    expect((await sweepAt(3)).auditRows).to.equal(2);
    expect(await world.readRows(brief)).to.deep.equal(['0:1', '1:1', '2:1', '3:1', '4:1']);
    expect((await sweepAt(2)).auditRows).to.equal(1);
    expect((await sweepAt(0)).auditRows).to.equal(2);
    expect(await world.readRows(brief)).to.deep.equal(['0:1', '1:1']);
  });

  it('never deletes a row of today or yesterday, however wrong the caller’s clock', async () => {
    const brief = await world.makeAccount(1);
    await addDays(brief, 0, 1);
    const swept = await sweepAt(-400);
    expect(swept).to.deep.include({ today: world.day(0), auditRows: 0, dropped: [] });
    for (const ago of [0, 1]) {
      const { rows } = await world.client.query<object>(
        `select gateway.delete_audit_rows($1, $2, 10) as deleted,
           gateway.drop_audit_day($1, $2) as dropped, gateway.delete_audit_rows($1, null, 10) as none`,
        [world.day(ago), world.day(-400)],
      );
      expect(rows).to.deep.equal([{ deleted: 0, dropped: false, none: 0 }]);
    }
    expect(await world.readRows(brief)).to.deep.equal(['0:1', '1:1']);
  });

  it('takes no day before Christ for the one that its partition is named after', async () => {
    const brief = await world.makeAccount(1);
    await addDays(brief, 0);
    const { rows } = await world.client.query<object>(
      `select gateway.delete_audit_rows(day, $1, 10) as deleted, gateway.drop_audit_day(day, $1) as dropped
       from cast($2 as date) as day`,
      [world.day(0), `${world.day(0)} BC`],
    );
    expect(rows).to.deep.equal([{ deleted: 0, dropped: false }]);
    expect(await world.readRows(brief)).to.deep.equal(['0:1']);
    expect(await world.readLedger(brief)).to.deep.equal(['0:3']);
  });

  it('drops no day that a tenant still keeps, whoever asks for it', async () => {
    await world.makeAccount(1);
    const lasting = await world.makeAccount(10);
    await addDays(lasting, 10);
    const { rows } = await world.client.query<object>(
      'select gateway.drop_audit_day($1, $2) as done, gateway.drop_audit_day($3, $2) as absent',
      [world.day(10), world.day(0), world.day(400)],
    );
    expect(rows).to.deep.equal([{ done: false, absent: false }]);
    expect(await world.readRows(lasting)).to.deep.equal(['10:1']);
  });

  it('holds nobody up for each of many days while the audit log is read', async () => {
    const brief = await world.makeAccount(1);
    await addDays(brief, 2, 3, 4, 5, 6);
    await world.sql.query('begin');
    await world.sql.query('select from gateway.audit_log limit 1');
    let tries = 0;
    const query = (text: string, values: unknown[]): Promise<unknown> => {
      if (text.includes('drop_audit_day')) tries += 1;
      return world.client.query(text, values);
    };
    const swept = await sweepAt(0, () => true, { query } as Connection);
    await world.sql.query('commit');
    expect(tries).to.equal(3);
    expect(swept.postponed).to.deep.equal([6, 5, 4, 3, 2].map(toDay));
    expect(swept.finished).to.equal(false);
    expect((await sweepAt(0)).dropped).to.deep.equal([6, 5, 4, 3, 2].map(toDay));
  });

  it('seals nothing of a day that a tenant has come to keep since the sweep began', async () => {
    const account = await world.makeAccount(2);
    await addDays(account, 3, 4);
    const query = async (text: string, values: unknown[]): Promise<unknown> => {
      const result = await world.client.query(text, values);
      if (text.includes('pg_inherits')) {
        await world.sql.query('update gateway.tenants set audit_retention_days = 30');
      }
      return result;
    };
    const swept = await sweepAt(0, () => true, { query } as Connection);
    expect(swept).to.deep.include({ dropped: [], finished: true });
    expect(await world.readRows(account)).to.deep.equal(['3:1', '4:1']);
    expect(await world.readLedger(account)).to.deep.equal(['3:3', '4:3']);
    expect((await compareAudit(world.sql)).unverifiableDays).to.deep.equal([]);
  });

  it('keeps what belongs to no tenant until its day is dropped', async () => {
    await world.makeAccount(1);
    await world.makeAccount(3);
    const { tenantId, keyId } = await world.makeAccount(3);
    await addDays({ tenantId, keyId }, 3, 4);
    const stranger = { tenantId: keyId, keyId };
    await world.sql.query('update gateway.audit_log set tenant_id = $1', [stranger.tenantId]);
    await sweepAt(0);
    expect(await world.readRows(stranger)).to.deep.equal(['3:1']);
  });

  it('works in bounded batches of one transaction each, and seals with the first', async () => {
    const brief = await world.makeAccount(1);
    await world.makeAccount(90);
    await world.addRows(brief, 5, 4_500);
    const deleted: number[] = [];
    const transactions = new Set<string>();
    const query = async (text: string, values: unknown[]): Promise<unknown> => {
      if (!text.includes('delete_audit_rows')) return world.client.query(text, values);
      const asked = text.replace(' as deleted', ' as deleted, pg_current_xact_id()::text as xid');
      const result = await world.client.query<{ deleted: number; xid: string }>(asked, values);
      deleted.push(result.rows[0]?.deleted ?? -1);
      transactions.add(result.rows[0]?.xid ?? '');
      // At each step a person may look.
      expect(await world.readLedger(brief)).to.deep.equal(['5:13500 sealed']);
      expect(await findDifferences()).to.deep.equal([]);
      return result;
    };
    await sweepAt(0, () => true, { query } as Connection);
    expect(deleted).to.deep.equal([2_000, 2_000, 500, 0]);
    expect(transactions.size).to.equal(4);
  });

  it('ends between two batches when it is told to, and the next one goes on there', async () => {
    const brief = await world.makeAccount(1);
    await world.makeAccount(90);
    await world.addRows(brief, 5, 4_500);
    const isMuchLeft = async (): Promise<number> =>
      Number((await world.readRows(brief))[0]?.slice(2) ?? 0);
    let left = 12;
    const swept = await sweepAt(0, () => (left -= 1) > 0);
    expect(swept.finished).to.equal(false);
    expect(await isMuchLeft()).to.equal(4_500 - swept.auditRows);
    expect(swept.auditRows).to.equal(2_000);
    const rest = await sweepAt(0);
    expect(rest).to.include({ auditRows: 2_500, finished: true });
    expect(await world.readLedger(brief)).to.deep.equal(['5:13500 sealed']);
  });

  it('deletes and seals in one transaction: where it is undone, both are', async () => {
    const brief = await world.makeAccount(1);
    await addDays(brief, 5);
    for (const act of ['delete_audit_rows($1, $2, 10)', 'drop_audit_day($1, $2)']) {
      await world.client.query('begin');
      await world.client.query(`select gateway.${act}`, [world.day(5), world.day(0)]);
      await world.client.query('rollback');
      expect(await world.readRows(brief)).to.deep.equal(['5:1']);
      expect(await world.readLedger(brief)).to.deep.equal(['5:3']);
    }
  });

  it('changes nothing of what verify-ledger can prove, and names the days that it cannot', async () => {
    const brief = await world.makeAccount(1);
    const lasting = await world.makeAccount(90);
    for (const account of [brief, lasting]) await addDays(account, 0, 1, 2, 90, 91);
    const before = await compareAudit(world.sql);
    await sweepAt(0);
    const after = await compareAudit(world.sql);
    expect(after).to.deep.equal(before);
    expect(after.problems).to.deep.equal([]);
    expect(after.auditedTokens).to.equal(18);
    expect(after.unverifiableDays).to.deep.equal([91, 90, 2].map(toDay));

    // What is gone does not come back with longer days, and is not missed either.
    await world.sql.query('update gateway.tenants set audit_retention_days = 3650');
    expect(await compareAudit(world.sql)).to.deep.equal(after);
  });

  it('finds what verify-ledger found before in the days that are kept', async () => {
    const brief = await world.makeAccount(1);
    await addDays(brief, 1, 2);
    await world.sql.query('delete from gateway.audit_log where admitted_at >= $1', [world.day(1)]);
    const before = await findDifferences();
    expect(before).to.have.length(4);
    await sweepAt(0);
    expect(await findDifferences()).to.deep.equal(before);
  });
});

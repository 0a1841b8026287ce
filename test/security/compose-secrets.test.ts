import { expect } from 'chai';
import { readText } from '../support/monitoring-files.ts';

const SECRETS = 'deploy/compose/make-secrets.sh';
const ROLES = 'deploy/compose/create-roles.sql';
const LOCAL_ROLES = 'deploy/systemd/postgres.sql';
const LOCAL_REDIS = 'deploy/systemd/redis.conf';
/** What a gateway that was broken into may do in Redis: nothing to the server, nothing to other keys. */
const OF_GATEWAY = '~nz1:* resetchannels +@all -@admin -@dangerous +info';

/** Statements, without comments and the commands of psql. */
function listStatements(sql: string): readonly string[] {
  const text = sql.replaceAll(/^(--|\\).*$/gm, '');
  return text.split(/;|\\gexec/).map((part) => part.replaceAll(/\s+/g, ' ').trim());
}

function listGrants(sql: string): readonly string[] {
  return listStatements(sql).filter((part) => /^(grant|revoke|alter)\b/.test(part));
}

describe('security: who may do what in the stores', () => {
  it('in compose the gateway has the rights of a gateway, and the owner runs no service', async () => {
    expect(listGrants(await readText(ROLES))).to.deep.equal([
      'grant gateway_runtime to nzgw_gateway',
      'grant gateway_admin to nzgw_admin',
      'alter database nzgw owner to nzgw_owner',
      'revoke connect, temporary on database nzgw from public',
      'grant connect on database nzgw to nzgw_gateway, nzgw_admin',
    ]);
  });

  it('under systemd too, and the database belongs to the commands', async () => {
    const sql = await readText(LOCAL_ROLES);
    expect(listGrants(sql)).to.deep.equal([
      'grant gateway_runtime to nzgw',
      'revoke connect, temporary on database nzgw from public',
      'grant connect on database nzgw to gateway_runtime, gateway_console, gateway_admin',
    ]);
    expect(sql).to.include('create database nzgw owner nzgw_admin ');
  });

  it('no role is made with a right over the server', async () => {
    for (const path of [ROLES, LOCAL_ROLES]) {
      const made = listStatements(await readText(path)).filter((part) =>
        part.includes('create role'),
      );
      expect(made).to.not.be.empty;
      for (const part of made) {
        expect(part, path).to.not.match(/superuser|createrole|createdb|replication|bypassrls/i);
      }
    }
  });

  it('Redis lets a gateway at its own keys alone, and neither configure nor empty it', async () => {
    const script = await readText(SECRETS);
    expect(script).to.include('user default on nopass resetkeys resetchannels -@all +ping\n');
    expect(script).to.include(`user nzgw on #$digest ${OF_GATEWAY}\n`);
    const users = (await readText(LOCAL_REDIS))
      .split('\n')
      .filter((line) => line.startsWith('user'));
    expect(users).to.deep.equal([`user default on nopass ${OF_GATEWAY} +slowlog|get`]);
  });

  it('each secret of compose is read by one user, and never made a second time', async () => {
    const script = await readText(SECRETS);
    expect(script).to.match(/^set -eu$/m);
    expect(script.indexOf('\numask 077\n')).to.be.within(0, script.indexOf('mkdir secrets.new'));
    expect(script).to.match(/^ {2}chmod 0400 "secrets\.new\/\$2"$/m);
    expect(script.match(/\bchmod\b.*secrets/g)).to.have.length(1);
    expect(script.indexOf('[ -e secrets ]')).to.be.within(0, script.indexOf('mkdir secrets.new'));
  });
});

import { expect } from 'chai';
import { readConsoleCommands } from '../support/documents.ts';
import { readText } from '../support/monitoring-files.ts';
import { readUnit, valuesOf } from '../support/read-unit.ts';

const REDIS = 'deploy/systemd/redis.conf';
const UNIT = 'deploy/systemd/nzgw.service';
const FIREWALL = 'deploy/systemd/nzgw-firewall.service';
const RULE = 'deploy/firewall/ollama.nft';
const PAGE = 'docs/DEPLOYMENT.md';

/** `systemd-analyze security` gives points, and would be content without any one of most of these. */
const SANDBOX: Readonly<Record<string, readonly string[]>> = {
  User: ['nzgw'],
  Group: ['nzgw'],
  UnsetEnvironment: ['NODE_OPTIONS'],
  LimitCORE: ['0'],
  RuntimeDirectoryMode: ['0700'],
  UMask: ['0077'],
  NoNewPrivileges: ['yes'],
  CapabilityBoundingSet: [''],
  AmbientCapabilities: [''],
  PrivateTmp: ['yes'],
  PrivateDevices: ['yes'],
  PrivateUsers: ['yes'],
  PrivateIPC: ['yes'],
  PrivateMounts: ['yes'],
  ProtectSystem: ['strict'],
  ProtectHome: ['yes'],
  ProtectProc: ['invisible'],
  ProcSubset: ['pid'],
  ProtectClock: ['yes'],
  ProtectHostname: ['yes'],
  ProtectKernelLogs: ['yes'],
  ProtectKernelModules: ['yes'],
  ProtectKernelTunables: ['yes'],
  ProtectControlGroups: ['yes'],
  RestrictNamespaces: ['yes'],
  RestrictRealtime: ['yes'],
  RestrictSUIDSGID: ['yes'],
  RestrictAddressFamilies: ['AF_INET AF_INET6 AF_UNIX'],
  LockPersonality: ['yes'],
  RemoveIPC: ['yes'],
  KeyringMode: ['private'],
  DevicePolicy: ['closed'],
  SystemCallArchitectures: ['native'],
  SystemCallFilter: ['@system-service', '~@privileged @resources', 'setpriority'],
  NoExecPaths: ['/'],
  InaccessiblePaths: ['-/etc/nzgw/credentials'],
};

describe('security: what systemd and the firewall hold', () => {
  it('Redis throws nothing away, and can fill neither itself nor the machine', async () => {
    const lines = (await readText(REDIS)).split('\n').filter((line) => !/^(#|$)/.test(line));
    const settings = new Map(lines.map((line) => [line.split(' ', 1)[0], line]));
    expect(settings.size).to.equal(lines.length);
    expect(settings.get('appendonly')).to.equal('appendonly yes');
    expect(settings.get('appendfsync')).to.equal('appendfsync everysec');
    expect(settings.get('maxmemory-policy')).to.equal('maxmemory-policy noeviction');
    expect(settings.get('maxmemory')).to.match(/^maxmemory [1-9]\d+mb$/);
  });

  it('the sandbox of the gateway has every wall, and no door beside them', async () => {
    const unit = readUnit(await readText(UNIT));
    for (const [key, values] of Object.entries(SANDBOX)) {
      expect(valuesOf(unit, key), key).to.deep.equal(values);
    }
    const doors = /^(SupplementaryGroups|DynamicUser|Bind\w*Paths|ReadWritePaths|PassEnvironment)$/;
    expect(unit.filter(({ key }) => doors.test(key))).to.be.empty;
  });

  it('programs are run from nowhere but where root alone can write', async () => {
    const unit = readUnit(await readText(UNIT));
    const paths = valuesOf(unit, 'ExecPaths').flatMap((value) => value.split(' '));
    for (const path of paths) expect(path).to.match(/^\/(opt\/nzgw|usr)\//);
  });

  it('the rule of the port comes after what flushes all rules, and before network and Ollama', async () => {
    const unit = readUnit(await readText(FIREWALL));
    const before = valuesOf(unit, 'Before').join(' ').split(' ');
    expect(before).to.include.members(['network-pre.target', 'ollama.service']);
    expect(valuesOf(unit, 'After').join(' ').split(' ')).to.include('nftables.service');
    expect(valuesOf(unit, 'ReloadPropagatedFrom')).to.deep.equal(['nftables.service']);
    expect(valuesOf(unit, 'DefaultDependencies')).to.deep.equal(['no']);
    expect(valuesOf(unit, 'ExecReload')).to.deep.equal(valuesOf(unit, 'ExecStart'));
  });

  it('the rule refuses each address family, before ports are forwarded, and has no exception', async () => {
    const text = await readText(RULE);
    const lines = text.split('\n').map((line) => line.trim());
    const rules = lines.filter((line) => line.includes('dport'));
    expect(rules).to.deep.equal([
      'iifname != "lo" tcp dport 11434 fib daddr type local counter reject with tcp reset',
      'tcp dport 11434 fib daddr type local ip daddr != 127.0.0.0/8 counter reject with tcp reset',
      'tcp dport 11434 fib daddr type local ip6 daddr != ::1 counter reject with tcp reset',
      'oifname "lo" tcp dport 11434 meta skuid != { "root", "nzgw", "nzgw_admin" } counter reject with tcp reset',
    ]);
    expect(lines.filter((line) => line.startsWith('type '))).to.deep.equal([
      'type filter hook prerouting priority raw; policy accept;',
      'type filter hook output priority filter; policy accept;',
    ]);
    expect(text).to.not.match(/^\s*(accept|return)\b|\b(accept|return)$|flush ruleset$/m);
    expect(lines.filter((line) => /^(table|delete table)/.test(line))).to.deep.equal([
      'table inet nzgw_ollama',
      'delete table inet nzgw_ollama',
      'table inet nzgw_ollama {',
    ]);
  });

  it('a step of the installation that is repeated makes no secret and no setting anew', async () => {
    const page = await readText(PAGE);
    const steps = readConsoleCommands(page, '### Users, settings, secrets').map(({ text }) => text);
    for (const made of ['/etc/nzgw/credentials/nzgw_key_pepper', '/etc/nzgw/nzgw.env']) {
      const writes = steps.filter((step) => step.includes(made));
      expect(writes, made).to.have.length(1);
      expect(writes[0]).to.match(/^test -[es] \S+ \|\| install -m 0640 -g nzgw /);
    }
  });
});

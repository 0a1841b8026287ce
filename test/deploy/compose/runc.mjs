import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

// runc where nobody may raise a limit: podman asks for more open files and processes than such a
// machine allows, and no container starts. Every limit becomes at most what this process has itself.
const NAMES = { RLIMIT_NOFILE: 'Max open files', RLIMIT_NPROC: 'Max processes' };
const limits = readFileSync('/proc/self/limits', 'utf8');
const args = process.argv.slice(3);

function lower(limit) {
  const line = limits.split('\n').find((text) => text.startsWith(NAMES[limit.type] ?? 'none'));
  const [, hard] = /^\D+\s+\S+\s+(\d+)/.exec(line ?? '') ?? [];
  if (hard === undefined) return;
  limit.hard = Math.min(limit.hard, Number(hard));
  limit.soft = Math.min(limit.soft, limit.hard);
}

function findPlan() {
  const bundle = args.indexOf('--bundle');
  if (args.includes('create') && bundle >= 0) return `${args[bundle + 1]}/config.json`;
  const plan = args.indexOf('--process');
  return plan >= 0 ? args[plan + 1] : undefined;
}

const file = findPlan();
if (file !== undefined) {
  const plan = JSON.parse(readFileSync(file, 'utf8'));
  for (const limit of (plan.process ?? plan).rlimits ?? []) lower(limit);
  writeFileSync(file, JSON.stringify(plan));
}
process.exit(spawnSync(process.argv[2], args, { stdio: 'inherit' }).status ?? 1);

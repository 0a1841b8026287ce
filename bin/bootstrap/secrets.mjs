import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths.mjs';
import { runHidden } from './run.mjs';
import { sayFailed } from './say.mjs';

/** What a secret looks like, by its kind. */
const KINDS = [
  ['private key', /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----(?:\s|\\[nr])+[A-Za-z0-9+/=]{16,}/g],
  ['API key of ours', /\bnz_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}\b/g],
  ['AWS key id', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g],
  ['GitHub token', /\b(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{22,})/g],
  ['GitLab token', /\bglpat-[0-9A-Za-z_-]{20,}/g],
  ['npm token', /\bnpm_[0-9A-Za-z]{36}\b/g],
  ['key of a model provider', /\bsk-(?:ant-|proj-)?[0-9A-Za-z_-]{32,}/g],
  ['Hugging Face token', /\bhf_[0-9A-Za-z]{30,}\b/g],
  ['Google key', /\bAIza[0-9A-Za-z_-]{35}\b/g],
  ['Slack token', /\bxox[abeprs]-[0-9A-Za-z-]{10,}/g],
  ['Stripe key', /\b[rs]k_live_[0-9A-Za-z]{16,}/g],
  ['JSON web token', /\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}/g],
  ['password in a URL', /\b[a-z][a-z+]{2,}:\/\/[^\s:/@'"`$<>{}]+:[^\s:/@'"`$<>{}]{8,}@[0-9a-z[]/gi],
];

/** Made up for a test, or the form of one: by file and the first of the SHA-256 of the text. */
const ALLOWED = new Set([
  // The development stack's, which its head says everybody knows.
  'docker-compose.dev.yml 7ca70e99c661',
  'test/integration/cluster/prepare.test.ts 2b37b0097f55',
  'test/unit/bin/program/errors.test.ts 17f9b8da2641',
]);

const LARGEST_BYTES = 4_194_304;

/**
 * Where a text holds what looks like a secret. It is never shown itself.
 *
 * @param {string} path as it stands in the allow-list
 * @param {string} text
 * @returns {string[]} one line each
 */
export function findSecrets(path, text) {
  return KINDS.flatMap(([kind, pattern]) =>
    [...text.matchAll(pattern)].flatMap(({ 0: found, index }) => {
      const entry = `${path} ${createHash('sha256').update(found).digest('hex').slice(0, 12)}`;
      const line = text.slice(0, index).split('\n').length;
      return ALLOWED.has(entry) ? [] : [`${path}:${line}: ${kind} (${entry})`];
    }),
  );
}

/** What installs and runs make; git does not list it either (.gitignore). */
const MADE = new Set(['.git', '.nzgw', 'coverage', 'dist', 'node_modules', 'release']);

/**
 * All files that are tracked, or would be with the next `git add`; of a tree that is no checkout of
 * ours (an archive, another user's) all but what installs and runs make.
 *
 * @param {string} root
 * @returns {Promise<string[]>} paths from there
 */
export async function listFiles(root) {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { code, text } = await runHidden('git', args, { cwd: root });
  if (code === 0) return text.split('\0').filter((path) => path !== '');
  return readdirSync(root)
    .filter((name) => !MADE.has(name))
    .flatMap((name) => {
      if (!lstatSync(join(root, name)).isDirectory()) return [name];
      return readdirSync(join(root, name), { recursive: true }).map((path) => join(name, path));
    });
}

async function searchAll() {
  const faults = [];
  const paths = await listFiles(ROOT);
  if (paths.length === 0) faults.push('there is no file to be searched');
  for (const path of paths) {
    const stats = lstatSync(join(ROOT, path), { throwIfNoEntry: false });
    if (stats?.isFile() !== true) continue;
    if (stats.size > LARGEST_BYTES) faults.push(`${path}: too large to be searched`);
    else faults.push(...findSecrets(path, readFileSync(join(ROOT, path), 'latin1')));
  }
  return faults;
}

if (import.meta.filename === process.argv[1]) {
  const faults = await searchAll();
  for (const fault of faults) sayFailed(fault);
  process.exitCode = faults.length === 0 ? 0 : 1;
}

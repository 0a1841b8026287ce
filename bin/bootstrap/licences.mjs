import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths.mjs';
import { sayFailed } from './say.mjs';

/** Licences that ask for no more than to be named. What is not here is refused, known or not. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'PSF-2.0',
  'Python-2.0',
  'Unlicense',
  'Zlib',
]);

/**
 * What package-lock.json names under a licence that the product may not be given away with: GPL, AGPL,
 * SSPL, none at all. Development's packages too: parts of them end up in what is built.
 *
 * @param {{ packages: Record<string, { license?: unknown, version?: string }> }} lock
 * @returns {string[]} one line each; empty if all is well
 */
export function findLicenceFaults(lock) {
  const packages = Object.entries(lock.packages ?? {}).filter(([path]) => path !== '');
  if (packages.length === 0) return ['package-lock.json names no package'];
  return packages
    .filter(([, { license }]) => !isAllowed(license))
    .map(([path, { license, version }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return `${name} ${version ?? ''}: ${JSON.stringify(license ?? 'no licence')}`;
    });
}

/** Of alternatives one must be allowed, of a sum all; what mixes both is for a person to read. */
function isAllowed(licence) {
  if (typeof licence !== 'string') return false;
  const expression = licence.replace(/^\((.*)\)$/, '$1').trim();
  if (/[()]/.test(expression)) return false;
  const alternatives = expression.split(/\s+OR\s+/i);
  const parts = expression.split(/\s+AND\s+/i);
  if (alternatives.length > 1 && parts.length > 1) return false;
  return alternatives.length > 1
    ? alternatives.some((one) => ALLOWED.has(one))
    : parts.every((one) => ALLOWED.has(one));
}

if (import.meta.filename === process.argv[1]) {
  const faults = findLicenceFaults(
    JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')),
  );
  for (const fault of faults) sayFailed(`licence of ${fault}`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}

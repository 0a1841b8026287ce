import { isObject } from '../json-object.ts';

const VERSION = /^[\w.+-]{1,64}$/;

/** The text of /api/version, or undefined if the reply is none. */
export function readVersion(reply: unknown): string | undefined {
  const version = isObject(reply) ? reply['version'] : undefined;
  return typeof version === 'string' && VERSION.test(version) ? version : undefined;
}

/** Orders versions as their numbers do; a pre-release comes before its release. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [readNumbers(left), readNumbers(right)];
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return Number(isRelease(left)) - Number(isRelease(right));
}

function readNumbers(version: string): readonly number[] {
  const [core = ''] = version.split(/[-+]/);
  return core.split('.').map((part) => Number.parseInt(part, 10) || 0);
}

function isRelease(version: string): boolean {
  return !version.includes('-');
}

/** Ollama's mutating, account and cloud functions (SPEC §2). No setting opens them. */
const BLOCKED: ReadonlySet<string> = new Set([
  '/api/pull',
  '/api/push',
  '/api/create',
  '/api/copy',
  '/api/delete',
  '/api/blobs',
  '/api/me',
  '/api/signin',
  '/api/signout',
  '/api/user',
  '/api/experimental',
  '/api/status',
  '/debug',
]);

const BLOCKED_PREFIXES = [
  '/api/blobs/',
  '/api/user/',
  '/api/experimental/',
  '/api/web_',
  '/debug/',
] as const;

/**
 * Whether a path is refused as blocked rather than as unknown, whatever the method. Both are
 * refused: this only chooses the answer, so a path in an unusual spelling may be either.
 */
export function isBlockedPath(path: string): boolean {
  if (!isPlain(path)) return false;
  return BLOCKED.has(path) || BLOCKED_PREFIXES.some((prefix) => path.startsWith(prefix));
}

/** Origin form, plain bytes, no empty or dot segment. */
function isPlain(path: string): boolean {
  if (!/^\/[A-Za-z0-9/._:-]*$/.test(path) || path.includes('//')) return false;
  return !path.split('/').some((segment) => segment === '.' || segment === '..');
}

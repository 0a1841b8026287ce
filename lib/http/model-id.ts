/** A namespaced model may stand in plain: host/namespace/model. */
const MAX_SLASHES = 2;

/** What a request target may hold before `?` (SPEC §2), and `%`, which only these paths may. */
const TARGET_BYTES = /^[A-Za-z0-9/._:%-]+$/;

/**
 * The id at the end of `/v1/models/…`, as it stands in the request: percent-decoded once. Undefined for
 * what the rules of a request target refuse, for an escape that is none, and for bytes that are not
 * UTF-8; what is left is only ever compared with names.
 */
export function readModelId(raw: string): string | undefined {
  if (!TARGET_BYTES.test(raw)) return undefined;
  const segments = raw.split('/');
  if (segments.length > MAX_SLASHES + 1 || segments.some(isUnusual)) return undefined;
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}

function isUnusual(segment: string): boolean {
  return segment === '' || segment === '.' || segment === '..';
}

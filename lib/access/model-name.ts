/** Longer spellings are refused unread: 350 + 3 × 80 and a scheme fit well within it. */
const MAX_LENGTH = 1_024;

const DEFAULT_HOST = 'registry.ollama.ai';
const DEFAULT_NAMESPACE = 'library';

const HOST = /^\w[\w.:-]{0,349}$/;
const NAMESPACE = /^\w[\w-]{0,79}$/;
const MODEL_OR_TAG = /^\w[\w.-]{0,79}$/;

/** What Go's strings.TrimSpace takes away; JavaScript's trim() differs in U+0085 and U+FEFF. */
const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

interface ModelName {
  /** `host/namespace/model:tag` in full and in lower case: what rights and snapshots are keyed by. */
  readonly canonical: string;
  /** What the suffix `:local`, `:cloud` or `-cloud` said of where the model runs. */
  readonly source: 'local' | 'cloud' | null;
}

interface Reference {
  readonly base: string;
  readonly source: ModelName['source'];
}

/**
 * Reads a model's name as Ollama does: trimmed, source suffix first, any scheme dropped, parts
 * filled from the defaults, case folded. Undefined for what its grammar has no place for, and for
 * two source suffixes at once. A cloud name keeps its mark in the tag (`:cloud`, `:20b-cloud`), so
 * it never equals a local one.
 */
export function parseModelName(name: string): ModelName | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  const reference = cutSource(trimSpace(name));
  if (reference.source !== null && cutSource(reference.base).source !== null) return undefined;
  const canonical = fillParts(restoreCloudTag(reference));
  return canonical === undefined ? undefined : { canonical, source: reference.source };
}

/** The one spelling that all aliases of a model share, or undefined where there is no such name. */
export function canonicalise(name: string): string | undefined {
  return parseModelName(name)?.canonical;
}

function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACE.test(text.charAt(start))) start++;
  while (start < end && SPACE.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

function cutSource(text: string): Reference {
  const colon = text.lastIndexOf(':');
  if (colon < 0) return { base: text, source: null };
  const tail = trimSpace(text.slice(colon + 1));
  const suffix = tail.toLowerCase();
  if (suffix === 'cloud' || suffix === 'local')
    return { base: text.slice(0, colon), source: suffix };
  if (suffix.endsWith('-cloud') && !tail.includes('/')) {
    return { base: text.slice(0, colon + 1) + tail.slice(0, -'-cloud'.length), source: 'cloud' };
  }
  return { base: text, source: null };
}

/** `x:20b:cloud` and `x:20b-cloud` are one name, and so are `x:cloud` and itself. */
function restoreCloudTag({ base, source }: Reference): string {
  if (source !== 'cloud') return base;
  return hasTag(base) ? `${base}-cloud` : `${base}:cloud`;
}

function hasTag(text: string): boolean {
  return text.lastIndexOf(':') > text.lastIndexOf('/');
}

function fillParts(text: string): string | undefined {
  const end = hasTag(text) ? text.lastIndexOf(':') : text.length;
  const tag = end < text.length ? text.slice(end + 1) : 'latest';
  const path = text.slice(0, end);
  const modelAt = path.lastIndexOf('/') + 1;
  const model = path.slice(modelAt);
  const [host, namespace] = readPrefix(path.slice(0, modelAt));
  const valid =
    HOST.test(host) &&
    NAMESPACE.test(namespace) &&
    MODEL_OR_TAG.test(model) &&
    MODEL_OR_TAG.test(tag);
  return valid ? `${host}/${namespace}/${model}:${tag}`.toLowerCase() : undefined;
}

/** Host and namespace of `[[scheme://]host/]namespace/`, or the defaults where nothing stands. */
function readPrefix(prefix: string): [host: string, namespace: string] {
  if (prefix === '') return [DEFAULT_HOST, DEFAULT_NAMESPACE];
  const owner = prefix.slice(0, -1);
  const slash = owner.lastIndexOf('/');
  if (slash < 0) return [DEFAULT_HOST, owner];
  const address = owner.slice(0, slash);
  const scheme = address.indexOf('://');
  return [scheme < 0 ? address : address.slice(scheme + 3), owner.slice(slash + 1)];
}

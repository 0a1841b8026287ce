import { LRUCache } from 'lru-cache';
import { canonicalise } from './model-name.ts';

const EVERY_TAG = ':*';

/** The names that a key or a tenant lists, read once. What is no name matches nothing. */
interface ModelList {
  has(canonical: string): boolean;
}

/** Gives the list of one owner, and keeps what it read as long as the names stay the same. */
export interface ModelLists {
  read(ownerId: string, names: readonly string[]): ModelList;
}

/** A name without a tag means `:latest`; `name:*` means every tag of that model (SPEC §3). */
export function compileModelList(names: readonly string[]): ModelList {
  const exact = new Set<string>();
  const everyTag = new Set<string>();
  for (const name of names) {
    const untagged = readEveryTag(name);
    const canonical = untagged ?? canonicalise(name);
    if (canonical !== undefined) (untagged === undefined ? exact : everyTag).add(canonical);
  }

  return {
    has: (canonical) => exact.has(canonical) || everyTag.has(withoutTag(canonical)),
  };
}

/**
 * A bounded memory of compiled lists. It compares the names themselves, not a version: a database
 * that was set back may use a version twice, and a comparison costs less than reading the row did.
 */
export function openModelLists(maxNames: number): ModelLists {
  const cache = new LRUCache<string, { names: readonly string[]; list: ModelList }>({
    maxSize: maxNames,
    sizeCalculation: ({ names }) => names.length + 1,
  });

  return {
    read(ownerId, names) {
      const known = cache.get(ownerId);
      if (known && areSame(known.names, names)) return known.list;
      const list = compileModelList(names);
      cache.set(ownerId, { names, list });
      return list;
    },
  };
}

/** `host/namespace/model` of `model:*`, or undefined for a name of any other form. */
function readEveryTag(name: string): string | undefined {
  const text = name.trim();
  if (!text.endsWith(EVERY_TAG)) return undefined;
  const latest = canonicalise(`${text.slice(0, -EVERY_TAG.length)}:latest`);
  return latest === undefined ? undefined : withoutTag(latest);
}

function withoutTag(canonical: string): string {
  return canonical.slice(0, canonical.lastIndexOf(':'));
}

function areSame(left: readonly string[], right: readonly string[]): boolean {
  if (left === right) return true;
  return left.length === right.length && left.every((name, index) => name === right[index]);
}

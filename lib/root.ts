import { existsSync } from 'node:fs';

/**
 * The package's root folder, whether this file runs as a source or from dist/. Lua, SQL and the
 * entry files of processes are found from here.
 */
export const ROOT = findRoot();

function findRoot(): URL {
  const above = new URL('../', import.meta.url);
  return existsSync(new URL('package.json', above)) ? above : new URL('../', above);
}

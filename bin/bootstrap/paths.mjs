import { fileURLToPath } from 'node:url';
import { delimiter, join } from 'node:path';

/** The package's root folder. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export const BIN = join(ROOT, 'node_modules', '.bin');

/** The Node that package.json pins. */
export const NODE = join(BIN, 'node');

/** The environment under which everything goes on: the pinned Node is the first on the path. */
export function pinnedEnvironment(extra = {}) {
  return { ...process.env, PATH: [BIN, process.env['PATH'] ?? ''].join(delimiter), ...extra };
}

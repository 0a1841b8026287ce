import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../lib/root.ts';

/** One source file: its path from the package's root, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Every .ts file below the given folders, in a stable order. */
export function readSources(...folders: readonly string[]): readonly SourceFile[] {
  const root = fileURLToPath(ROOT);
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .sort()
      .map((name) => {
        const path = join(folder, name);
        return { path, text: readFileSync(join(root, path), 'utf8') };
      }),
  );
}

export interface Import {
  readonly from: string;
  readonly typeOnly: boolean;
}

/** The static and dynamic imports of a file, as written. */
export function readImports(text: string): readonly Import[] {
  const found: Import[] = [];
  const statement = /^(?:import|export) (type )?[^'";=]*'([^']+)'/gm;
  for (const match of text.matchAll(statement)) {
    found.push({ from: match[2] ?? '', typeOnly: match[1] !== undefined });
  }
  for (const match of text.matchAll(/\bimport\('([^']+)'\)/g)) {
    found.push({ from: match[1] ?? '', typeOnly: false });
  }
  return found;
}

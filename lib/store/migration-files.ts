import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { ROOT } from '../root.ts';

/** One file of sql/: what it does to the schema is never changed after a release. */
export interface Migration {
  readonly id: number;
  /** File name without its ending: `000001_gateway`. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the text, in hex. */
  readonly digest: string;
  /** Whether programs that do not know it must not run on a database that has it. */
  readonly breaking: boolean;
}

const FILE = /^(\d{6})_[a-z0-9_]+\.sql$/;

/**
 * The migrations that this program knows, in order.
 * @throws Error if a file does not say in its first line whether it is breaking.
 */
export async function readMigrations(
  folder = new URL('sql/', ROOT),
): Promise<readonly Migration[]> {
  const files = (await readdir(folder)).filter((file) => FILE.test(file)).sort();
  return Promise.all(files.map((file) => readMigration(folder, file)));
}

/** What is applied before them, each time: the tables that tell what was applied. */
export async function readMetaSchema(): Promise<string> {
  return readFile(new URL('sql/meta.sql', ROOT), 'utf8');
}

async function readMigration(folder: URL, file: string): Promise<Migration> {
  const sql = (await readFile(new URL(file, folder), 'utf8')).replaceAll('\r\n', '\n');
  const mark = /^-- (not )?breaking\n/.exec(sql);
  if (!mark) throw new Error(`${file}: the first line must be "-- breaking" or "-- not breaking"`);
  return {
    id: Number(file.slice(0, 6)),
    name: file.slice(0, -'.sql'.length),
    sql,
    digest: createHash('sha256').update(sql).digest('hex'),
    breaking: mark[1] === undefined,
  };
}

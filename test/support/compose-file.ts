import { readFile, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../lib/root.ts';
import { readPlainYaml } from './plain-yaml.ts';
import type { PlainYaml } from './plain-yaml.ts';

type Block = Readonly<Record<string, PlainYaml>>;

export interface ComposeFile {
  readonly name: string;
  readonly services: Readonly<Record<string, Block>>;
  readonly networks: Readonly<Record<string, Block>>;
  readonly secrets: Readonly<Record<string, Block>>;
}

/** Every compose file of the repository, whatever its name after docker-compose. */
export async function readComposeFiles(): Promise<readonly ComposeFile[]> {
  const names = (await readdir(ROOT)).filter((name) => /compose.*\.ya?ml$/.test(name)).sort();
  return Promise.all(names.map(readComposeFile));
}

/** Throws Error where it is not the plain YAML of `readPlainYaml`. */
export async function readComposeFile(name: string): Promise<ComposeFile> {
  const text = await readFile(fileURLToPath(new URL(name, ROOT)), 'utf8');
  const file = toBlock(readPlainYaml(text), name);
  return {
    name,
    services: toBlocks(file['services'], `${name}: services`),
    networks: toBlocks(file['networks'], `${name}: networks`),
    secrets: toBlocks(file['secrets'], `${name}: secrets`),
  };
}

/** A list of texts, or the names of a block; nothing is an empty list. */
export function listNames(value: PlainYaml | undefined): readonly string[] {
  if (value === undefined || value === '') return [];
  if (typeof value === 'string') throw new Error(`a list is wanted, not ${value}`);
  if (!Array.isArray(value)) return Object.keys(value);
  return value.map((entry) => {
    if (typeof entry !== 'string') throw new Error('a list of texts is wanted');
    return entry;
  });
}

function toBlocks(value: PlainYaml | undefined, what: string): Readonly<Record<string, Block>> {
  const blocks = value === undefined ? {} : toBlock(value, what);
  return Object.fromEntries(
    Object.entries(blocks).map(([name, block]) => [name, toBlock(block, `${what}: ${name}`)]),
  );
}

/** An empty value is an empty block: `edge:`. */
export function toBlock(value: PlainYaml | undefined, what: string): Block {
  if (value === '') return {};
  if (value === undefined || typeof value === 'string' || Array.isArray(value)) {
    throw new Error(`${what} is not a block`);
  }
  return value as Block;
}

/** A text, or '' where there is none. Throws where it is something else. */
export function toText(value: PlainYaml | undefined): string {
  if (value === undefined) return '';
  if (typeof value !== 'string') throw new Error(`a text is wanted, not ${JSON.stringify(value)}`);
  return value;
}

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../lib/root.ts';

/** A page for people: its path from the package's root, and its text. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

export interface Block {
  readonly language: string;
  readonly lines: readonly string[];
  /** Of the line with the opening fence, from 1. */
  readonly lineNumber: number;
}

/** A line of a command block that a shell runs; several written lines where it goes on over them. */
export interface Command {
  readonly text: string;
  /** Why no test runs it, where it is so marked: `# not run: why`, behind it or on the line above. */
  readonly notRun?: string;
}

/** Every page: the README, the changelog, and all below docs. */
export function readDocuments(): readonly Document[] {
  const pages = readdirSync(fileURLToPath(new URL('docs/', ROOT)), {
    recursive: true,
    encoding: 'utf8',
  });
  const below = pages.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
  return ['README.md', 'CHANGELOG.md', ...below.sort()].map(readDocument);
}

export function readDocument(path: string): Document {
  return { path, text: readFileSync(fileURLToPath(new URL(path, ROOT)), 'utf8') };
}

/** What stands between fences. */
export function listBlocks(text: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { language: string; lines: string[]; lineNumber: number } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^\s*```(\w*)/.exec(line);
    if (fence === null) open?.lines.push(line);
    else if (open === undefined) {
      open = { language: fence[1] ?? '', lines: [], lineNumber: index + 1 };
    } else {
      blocks.push(open);
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`the block at line ${open.lineNumber} has no end`);
  return blocks;
}

/** The text without what stands between fences. */
export function withoutBlocks(text: string): string {
  return text.replace(/^\s*```[\s\S]*?^\s*```$/gm, '');
}

/** The anchors of a page's titles, as GitHub makes them. */
export function readAnchors(text: string): readonly string[] {
  return [...withoutBlocks(text).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

/** Where the links of a page lead, as written. */
export function listLinks(text: string): readonly string[] {
  const prose = withoutBlocks(text).replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => target);
}

/** Inline code of a page. */
export function listCode(text: string): readonly string[] {
  return [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

/** Blocks of commands: `sh` holds nothing else; in `console` they stand behind `$ ` or `# ` (root). */
export function listCommandBlocks(text: string): readonly Block[] {
  return listBlocks(text).filter(({ language }) => language === 'sh' || language === 'console');
}

/** The commands of such a block, in order; its comments and what a `console` shows are left out. */
export function listCommands({ language, lines }: Block): readonly Command[] {
  const commands: Command[] = [];
  let reason: string | undefined;
  for (const line of joinLines(lines)) {
    const alone = /^\s*(?:# )?# not run: (.+)$/.exec(line);
    const text = language === 'sh' ? line : /^[$#] (.*)$/s.exec(line)?.[1];
    if (alone !== null) reason = alone[1];
    else if (text !== undefined && text.trim() !== '' && !text.startsWith('#')) {
      const why = /\s# not run: (.+)$/.exec(text)?.[1] ?? reason;
      commands.push({ text, ...(why !== undefined && { notRun: why }) });
      reason = undefined;
    }
  }
  return commands;
}

/** A command goes on where its line ends with a backslash or a pipe, and to the end of a here-document. */
function joinLines(lines: readonly string[]): readonly string[] {
  const joined: string[] = [];
  let end: string | undefined;
  let open = false;
  for (const line of lines) {
    if (open || end !== undefined) joined.push(`${joined.pop() ?? ''}\n${line}`);
    else joined.push(line);
    if (end === undefined) end = /<<-?\s*['"]?(\w+)['"]?/.exec(line)?.[1];
    else if (line.trim() === end) end = undefined;
    open = end === undefined && /(?:\\|\|)$/.test(line);
  }
  return joined;
}

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

/** What is typed; several written lines where it goes on over them. */
export interface Command {
  readonly text: string;
  /** Why no test runs it, where it is so marked: `# not run: why` behind it. */
  readonly notRun?: string;
}

/** A command of a `console` block: `#` is root's prompt, `$` that of a user without rights. */
export interface PromptedCommand extends Command {
  readonly prompt: '#' | '$';
}

const NOT_RUN = / +# not run: (.+)$/;

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

/** Blocks of commands: `sh` holds nothing else; in `console` each stands behind a prompt. */
export function listCommandBlocks(text: string): readonly Block[] {
  return listBlocks(text).filter(({ language }) => language === 'sh' || language === 'console');
}

/** The commands of such a block, in order. @throws Error where a line of a `console` has no prompt. */
export function listCommands({ language, lines }: Block): readonly Command[] {
  if (language === 'console') return lines.map(readPrompted);
  return joinLines(lines)
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map(readCommand);
}

/** @throws Error where the line has no prompt. */
export function readPrompted(line: string): PromptedCommand {
  const [, prompt, typed] = /^([#$]) (.+)$/.exec(line) ?? [];
  if (typed === undefined) throw new Error(`no command with a prompt: ${line}`);
  return { prompt: prompt === '$' ? '$' : '#', ...readCommand(typed) };
}

function readCommand(typed: string): Command {
  const reason = NOT_RUN.exec(typed)?.[1];
  return { text: typed.replace(NOT_RUN, ''), ...(reason !== undefined && { notRun: reason }) };
}

/** A command goes on where its line ends with a backslash or a pipe. */
function joinLines(lines: readonly string[]): readonly string[] {
  const joined: string[] = [];
  let isOpen = false;
  for (const line of lines) {
    joined.push(isOpen ? `${joined.pop() ?? ''}\n${line}` : line);
    isOpen = /(?:\\|\|)$/.test(line);
  }
  return joined;
}

/** Every heading of a page below its title, as written: `### Start`. */
export function readHeadings(page: string): readonly string[] {
  return withoutBlocks(page)
    .split('\n')
    .filter((line) => /^#{2,6} /.test(line));
}

/**
 * The commands in the `console` blocks of a section, which ends at the next heading of its own level or
 * above. @throws Error where there is no such heading, or a line of a block has no prompt.
 */
export function readConsoleCommands(page: string, heading: string): readonly PromptedCommand[] {
  return listBlocks(readSection(page, heading))
    .filter(({ language }) => language === 'console')
    .flatMap(({ lines }) => lines.map(readPrompted));
}

function readSection(page: string, heading: string): string {
  const lines = page.split('\n');
  const start = lines.indexOf(heading);
  if (start === -1) throw new Error(`the document has no "${heading}"`);
  const [level = ''] = heading.split(' ');
  let isBlock = false;
  const length = lines.slice(start + 1).findIndex((line) => {
    if (line.startsWith('```')) isBlock = !isBlock;
    const [, marks] = /^(#+) /.exec(line) ?? [];
    return !isBlock && marks !== undefined && marks.length <= level.length;
  });
  return lines.slice(start + 1, length === -1 ? undefined : start + 1 + length).join('\n');
}

/** One command of a document, as a reader would type it. */
export interface DocumentCommand {
  /** `#` is root's prompt, `$` that of a user without rights. */
  readonly prompt: '#' | '$';
  readonly text: string;
  /** Why a test cannot run it. */
  readonly notRun: string | undefined;
}

const FENCE = '```';
const NOT_RUN = / +# not run: (.+)$/;

/**
 * The commands in the ```console blocks of a section, which ends at the next heading of its own level or
 * above. @throws Error where there is no such heading, or a line of a block has no prompt.
 */
export function readConsoleCommands(page: string, heading: string): readonly DocumentCommand[] {
  const found: DocumentCommand[] = [];
  let isInside = false;
  for (const line of readSection(page, heading)) {
    if (line.startsWith(FENCE)) isInside = line === `${FENCE}console`;
    else if (isInside) found.push(toCommand(line));
  }
  return found;
}

/** Every heading of the page, as written: `### Start`. */
export function readHeadings(page: string): readonly string[] {
  return page.split('\n').filter((line) => /^#{2,6} /.test(line));
}

function readSection(page: string, heading: string): readonly string[] {
  const lines = page.split('\n');
  const start = lines.indexOf(heading);
  if (start === -1) throw new Error(`the document has no "${heading}"`);
  const [level = ''] = heading.split(' ');
  let isBlock = false;
  const length = lines.slice(start + 1).findIndex((line) => {
    if (line.startsWith(FENCE)) isBlock = !isBlock;
    const [, marks] = /^(#+) /.exec(line) ?? [];
    return !isBlock && marks !== undefined && marks.length <= level.length;
  });
  return lines.slice(start + 1, length === -1 ? undefined : start + 1 + length);
}

function toCommand(line: string): DocumentCommand {
  const [, prompt, typed] = /^([#$]) (.+)$/.exec(line) ?? [];
  if (typed === undefined) throw new Error(`no command with a prompt: ${line}`);
  return {
    prompt: prompt === '$' ? '$' : '#',
    text: typed.replace(NOT_RUN, ''),
    notRun: NOT_RUN.exec(typed)?.[1],
  };
}

/** Everything that is not a block or a list is a text: true, 5 and 10m too. Nothing is ''. */
export type PlainYaml = string | readonly PlainYaml[] | { readonly [key: string]: PlainYaml };

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

const KEY = /^([\w.-]+):(?= |$)/;
/** What begins so means something in YAML that this reader does not know. */
const UNKNOWN = /^[&*!|>%@`{?]|^- |^\[|^<<|["'] *:/;

/**
 * Reads the part of YAML in which our own files are written: blocks and lists by indentation, plain
 * and quoted texts, lists of texts in one line. Anything else (anchors, merges, folded texts, inline
 * blocks, tabs, a key twice) throws: what a test does not see must not be in a file that it vouches for.
 */
export function readPlainYaml(text: string): PlainYaml {
  const lines = text
    .split('\n')
    .map((line, index) => toLine(line, index + 1))
    .filter(({ text: rest }) => rest !== '');
  const reader = { lines, at: 0 };
  const value = readValue(reader, 0);
  const left = reader.lines[reader.at];
  if (left) fail(left, 'is indented as nothing before it');
  return value;
}

interface Reader {
  readonly lines: readonly Line[];
  at: number;
}

function toLine(line: string, number: number): Line {
  if (line.includes('\t')) fail({ number, indent: 0, text: line }, 'has a tab');
  const bare = stripComment(line).trimEnd();
  const indent = bare.length - bare.trimStart().length;
  return { number, indent, text: bare.slice(indent) };
}

/** A # begins a comment at the start, or behind a space and outside quotes. */
function stripComment(line: string): string {
  let quote = '';
  for (let at = 0; at < line.length; at += 1) {
    const letter = line.charAt(at);
    if (quote !== '') quote = letter === quote ? '' : quote;
    else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === '#' && (at === 0 || line[at - 1] === ' ')) return line.slice(0, at);
  }
  return line;
}

function readValue(reader: Reader, indent: number): PlainYaml {
  const first = reader.lines[reader.at];
  if (!first || first.indent < indent) return '';
  return first.text.startsWith('- ')
    ? readList(reader, first.indent)
    : readBlock(reader, first.indent);
}

function readBlock(reader: Reader, indent: number): PlainYaml {
  const block: Record<string, PlainYaml> = {};
  for (
    let line = reader.lines[reader.at];
    line?.indent === indent;
    line = reader.lines[reader.at]
  ) {
    const [before, key = ''] = KEY.exec(line.text) ?? fail(line, 'is no "key: value"');
    const rest = line.text.slice(before.length).trim();
    if (Object.hasOwn(block, key)) fail(line, 'says a key a second time');
    reader.at += 1;
    block[key] = rest === '' ? readValue(reader, indent + 1) : readText(line, rest);
  }
  return block;
}

function readList(reader: Reader, indent: number): PlainYaml {
  const list: PlainYaml[] = [];
  for (
    let line = reader.lines[reader.at];
    line?.indent === indent;
    line = reader.lines[reader.at]
  ) {
    if (!line.text.startsWith('- ')) fail(line, 'is no entry of the list');
    const rest = line.text.slice(2);
    if (KEY.test(rest)) {
      // A block as an entry: its first line is the rest of this one.
      const lines = [...reader.lines];
      lines[reader.at] = { ...line, indent: indent + 2, text: rest };
      const inner = { lines, at: reader.at };
      list.push(readBlock(inner, indent + 2));
      reader.at = inner.at;
    } else {
      reader.at += 1;
      list.push(readText(line, rest));
    }
  }
  return list;
}

function readText(line: Line, text: string): PlainYaml {
  if (text.startsWith('[')) {
    if (!text.endsWith(']')) fail(line, 'does not end its list');
    const inner = text.slice(1, -1).trim();
    return inner === '' ? [] : inner.split(/, */).map((entry) => unquote(line, entry));
  }
  return unquote(line, text);
}

function unquote(line: Line, text: string): string {
  const quoted = /^(["'])([^"'\\]*)\1$/.exec(text);
  if (quoted) return quoted[2] ?? '';
  if (/^["']/.test(text) || UNKNOWN.test(text)) fail(line, `has ${text}, which is not read here`);
  if (/: |:$/.test(text)) fail(line, 'has a second key');
  return text;
}

function fail(line: Line, why: string): never {
  throw new Error(`line ${line.number} ${why}: ${line.text}`);
}

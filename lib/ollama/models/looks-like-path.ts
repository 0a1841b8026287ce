const PATH = '(?:[/\\\\~]|[A-Za-z]:[/\\\\]|file:)';
const AT_START = new RegExp(`^\\s*${PATH}`);
const WITHIN = new RegExp(`(?:^|[\\s"'=:(,])${PATH}`);

/** Text that begins as an absolute path of some system does, or as a file: address. */
export function looksLikePath(text: string): boolean {
  return AT_START.test(text);
}

/** Lines of text in which some word looks like a path; `</s>` and `[/INST]` do not. */
export function holdsPath(text: string): boolean {
  return WITHIN.test(text);
}

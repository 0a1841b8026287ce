/** Lines for people, on stderr; colour only where a terminal wants it. */
const colour = process.stderr.isTTY === true && !process.env['NO_COLOR'];

const paint = (code, text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);

export function sayDone(what, sinceMs) {
  const seconds = sinceMs === undefined ? '' : `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;
  process.stderr.write(` ${paint(32, '✓')} ${what.padEnd(56)} ${seconds}`.trimEnd() + '\n');
}

export function sayFailed(what, sinceMs) {
  const seconds = sinceMs === undefined ? '' : `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;
  process.stderr.write(` ${paint(31, '✗')} ${what.padEnd(56)} ${seconds}`.trimEnd() + '\n');
}

export function say(text) {
  process.stderr.write(`${text}\n`);
}

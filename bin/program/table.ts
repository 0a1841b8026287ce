/** Upper-case header, two spaces between columns, no borders, nothing cut. */
export function renderTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const lines = [header.map((name) => name.toUpperCase()), ...rows];
  const widths = header.map((_, column) =>
    lines.reduce((widest, line) => Math.max(widest, line[column]?.length ?? 0), 0),
  );
  return lines.map((line) =>
    line
      .map((cell, column) => toPrintable(cell).padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** RFC 4180: a header line, then the rows; what holds a comma or a quote stands in quotes. */
export function renderCsv(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const quote = (cell: string): string =>
    /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  return [header, ...rows].map((row) => row.map(quote).join(','));
}

/** Names `label  value` pairs under each other, for one thing. */
export function renderFacts(facts: Readonly<Record<string, string>>): readonly string[] {
  const width = Math.max(...Object.keys(facts).map((label) => label.length));
  return Object.entries(facts).map(([label, value]) => `${label.padEnd(width)}  ${value}`);
}

/**
 * Names come from other writers and from upstreams: what could steer a terminal is shown as "?".
 */
export function toPrintable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '?');
}

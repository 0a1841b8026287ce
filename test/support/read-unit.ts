/** One line of a unit file, `Key=value`, with the section that it stands in. */
export interface UnitLine {
  readonly section: string;
  readonly key: string;
  readonly value: string;
}

/**
 * The settings of a systemd unit in their order. @throws Error for a line that is neither a setting, a
 * section nor a comment; lines continued by a backslash are none of ours.
 */
export function readUnit(text: string): readonly UnitLine[] {
  const found: UnitLine[] = [];
  let section = '';
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, named] = /^\[(\w+)\]$/.exec(line) ?? [];
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (named !== undefined) section = named;
    else if (key === undefined || value === undefined) throw new Error(`no unit line: ${line}`);
    else found.push({ section, key, value });
  }
  return found;
}

/** Every value of a key, in their order. */
export function valuesOf(unit: readonly UnitLine[], key: string): readonly string[] {
  return unit.filter((line) => line.key === key).map(({ value }) => value);
}

import { isIP } from 'node:net';

/** An address as it is counted and cut; one of IPv4 in IPv6 clothes is the IPv4 address that it is. */
type ParsedIp =
  | { readonly family: 4; readonly text: string }
  /** The eight groups in hexadecimal, each in its shortest form. */
  | { readonly family: 6; readonly groups: readonly string[] };

const GROUPS = 8;
const MAPPED = '0:0:0:0:0:ffff';

/** Null for what is no address. A zone (`%eth0`) is left out. */
export function parseIp(text: string): ParsedIp | null {
  const family = isIP(text);
  if (family === 0) return null;
  if (family === 4) return { family, text };

  const groups = expand(text.replace(/%.*/, ''));
  if (groups.slice(0, 6).join(':') !== MAPPED) return { family: 6, groups };
  const bytes = groups.slice(6).flatMap((group) => splitBytes(parseInt(group, 16)));
  return { family: 4, text: bytes.join('.') };
}

/** The first groups of an IPv6 address as a network, in CIDR form. */
export function toNetwork(groups: readonly string[], kept: number): string {
  return `${groups.slice(0, kept).join(':')}::/${kept * 16}`;
}

function expand(address: string): readonly string[] {
  const [head = '', tail = ''] = address.split('::');
  const [left, right] = [toGroups(head), toGroups(tail)];
  const zeros = Array<string>(GROUPS - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right];
}

function toGroups(text: string): readonly string[] {
  if (text === '') return [];
  return text
    .split(':')
    .flatMap((group) => (group.includes('.') ? joinBytes(group) : [parseInt(group, 16)]))
    .map((group) => group.toString(16));
}

/** A dotted tail stands for two groups. */
function joinBytes(dotted: string): readonly number[] {
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
  return [a * 256 + b, c * 256 + d];
}

function splitBytes(group: number): readonly number[] {
  return [group >> 8, group & 0xff];
}

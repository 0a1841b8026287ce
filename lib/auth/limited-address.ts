import { isIP, isIPv4 } from 'node:net';

const NETWORK_GROUPS = 4;

/**
 * What failures are counted by: an IPv4 address, or the /64 of an IPv6 one, since a single customer
 * has all of a /64. An IPv4 address written as IPv6 counts as itself; other text as it is.
 */
export function toLimitedAddress(address: string): string {
  if (isIP(address) !== 6) return address;

  const [bare = ''] = address.split('%');
  const ipv4 = bare.slice(bare.lastIndexOf(':') + 1);
  if (isIPv4(ipv4)) {
    const prefix = expand(bare.slice(0, -ipv4.length) + '0:0');
    if (prefix.slice(0, 6).join(':') === '0:0:0:0:0:ffff') return ipv4;
    return toNetwork(prefix);
  }
  return toNetwork(expand(bare));
}

function toNetwork(groups: readonly string[]): string {
  return `${groups.slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

/** The eight groups, each in its shortest form. */
function expand(address: string): readonly string[] {
  const [head = '', tail] = address.split('::');
  const left = toGroups(head);
  const right = tail === undefined ? [] : toGroups(tail);
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right];
}

function toGroups(text: string): string[] {
  return text === '' ? [] : text.split(':').map((group) => parseInt(group, 16).toString(16));
}

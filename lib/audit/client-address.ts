import { isIP } from 'node:net';

/** How much of a client's address is kept (NZGW_AUDIT_ADDRESS). */
type AddressMode = 'full' | 'prefix' | 'none';

const IPV6_GROUPS = 8;
const KEPT_GROUPS = 3;

/**
 * Makes the cut for one mode: the address itself, its network (IPv4 /24, IPv6 /48) in CIDR form, or
 * null. What is no address is null in every mode, for the column takes none.
 */
export function makeAddressCut(mode: AddressMode): (address: string) => string | null {
  if (mode === 'none') return () => null;
  return (address) => {
    const family = isIP(address);
    if (family === 0) return null;
    const bare = address.replace(/%.*/, '');
    if (mode === 'full') return bare;
    return family === 4 ? cutIpv4(bare) : cutIpv6(bare);
  };
}

function cutIpv4(address: string): string {
  return `${address.split('.').slice(0, 3).join('.')}.0/24`;
}

/** An IPv4 address in IPv6 clothes is cut as the IPv4 address that it is. */
function cutIpv6(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return cutIpv4(mapped);

  const [head = '', tail] = address.split('::');
  const before = toGroups(head);
  const after = tail === undefined ? [] : toGroups(tail);
  const zeros = Array<string>(IPV6_GROUPS - before.length - after.length).fill('0');
  return `${[...before, ...zeros, ...after].slice(0, KEPT_GROUPS).join(':')}::/48`;
}

/** A dotted tail stands for two groups; it is never among those that are kept. */
function toGroups(text: string): string[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}

import { parseIp, toNetwork } from '../net/parse-ip.ts';

/** How much of a client's address is kept (NZGW_AUDIT_ADDRESS). */
type AddressMode = 'full' | 'prefix' | 'none';

const KEPT_GROUPS = 3;

/**
 * Makes the cut for one mode: the address itself, its network (IPv4 /24, IPv6 /48) in CIDR form, or
 * null. What is no address is null in every mode, for the column takes none.
 */
export function makeAddressCut(mode: AddressMode): (address: string) => string | null {
  if (mode === 'none') return () => null;
  return (address) => {
    const ip = parseIp(address);
    if (ip === null) return null;
    if (mode === 'full') return address.replace(/%.*/, '');
    return ip.family === 4 ? cutIpv4(ip.text) : toNetwork(ip.groups, KEPT_GROUPS);
  };
}

function cutIpv4(address: string): string {
  return `${address.split('.').slice(0, 3).join('.')}.0/24`;
}

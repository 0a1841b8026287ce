import { parseIp, toNetwork } from '../net/parse-ip.ts';

const NETWORK_GROUPS = 4;

/**
 * What failures are counted by: an IPv4 address, or the /64 of an IPv6 one, since a single customer
 * has all of a /64. An IPv4 address written as IPv6 counts as itself; other text as it is.
 */
export function toLimitedAddress(address: string): string {
  const ip = parseIp(address);
  if (ip === null) return address;
  return ip.family === 4 ? ip.text : toNetwork(ip.groups, NETWORK_GROUPS);
}

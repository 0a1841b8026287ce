import { BlockList, SocketAddress, isIP } from 'node:net';

/** Who is at the other end of a socket, and whether its X-Forwarded-For is believed. */
export interface Peer {
  readonly address: string;
  readonly trusted: boolean;
}

export interface AddressReader {
  toPeer(remoteAddress: string | undefined): Peer;
  /**
   * The right-most hop of X-Forwarded-For that is no trusted proxy, if the peer is one; the first
   * hop if all are. Anything that is not a list of plain addresses: the peer. Normalised text.
   */
  toClient(peer: Peer, forwardedFor: string | undefined): string;
}

/** @param trusted addresses and CIDR ranges of proxies, as settings hold them. */
export function makeAddressReader(trusted: readonly string[]): AddressReader {
  const proxies = toBlockList(trusted);

  function isTrusted(address: string): boolean {
    return proxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }

  return {
    toPeer(remoteAddress) {
      const address = normalise(withoutZone(remoteAddress ?? ''));
      return address === null
        ? { address: 'unknown', trusted: false }
        : { address, trusted: isTrusted(address) };
    },
    toClient(peer, forwardedFor) {
      if (!peer.trusted || forwardedFor === undefined) return peer.address;
      let hop = peer.address;
      for (const text of forwardedFor.split(',').reverse()) {
        const address = normalise(text.trim());
        if (address === null) return peer.address;
        hop = address;
        if (!isTrusted(hop)) return hop;
      }
      return hop;
    },
  };
}

function toBlockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

const MAPPED = '::ffff:';

/** One spelling for each address; an IPv4 address in IPv6's clothes is an IPv4 address. */
function normalise(text: string): string | null {
  const version = text.includes('%') ? 0 : isIP(text);
  if (version === 0) return null;
  if (version === 4) return text;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  const mapped = address.startsWith(MAPPED) ? address.slice(MAPPED.length) : '';
  return isIP(mapped) === 4 ? mapped : address;
}

function withoutZone(text: string): string {
  const zone = text.indexOf('%');
  return zone === -1 ? text : text.slice(0, zone);
}

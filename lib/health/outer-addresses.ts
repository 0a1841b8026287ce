import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

const MOST_ADDRESSES = 128;
const LOOPBACK = 'lo';

/**
 * The addresses at which others could reach this machine: all but loopback, at most 128. Those that
 * count on one link only are given with its name (`fe80::1%eth0`). Undefined where the system does not
 * tell.
 */
export function listOuterAddresses(): readonly string[] | undefined {
  return (askSystem() ?? readRoutes())?.slice(0, MOST_ADDRESSES);
}

/** It asks by a netlink socket, which the sandbox of a service may forbid. */
function askSystem(): readonly string[] | undefined {
  try {
    return Object.entries(networkInterfaces()).flatMap(([link, list]) =>
      (list ?? [])
        .filter(({ internal }) => !internal)
        .map(({ address }) => (isOfLink(address) ? `${address}%${link}` : address)),
    );
  } catch {
    return undefined;
  }
}

/** The same from Linux's files, which every process may read of itself. */
export function readRoutes(): readonly string[] | undefined {
  try {
    const old = parseLocalRoutes(readFileSync('/proc/self/net/fib_trie', 'latin1'));
    return [...old, ...parseLinks(readInet6())];
  } catch {
    return undefined;
  }
}

/** There is no such file where IPv6 is off. */
function readInet6(): string {
  try {
    return readFileSync('/proc/self/net/if_inet6', 'latin1');
  } catch {
    return '';
  }
}

/** An address stands on a line of its own, and below it what it is: `/32 host LOCAL`. */
function parseLocalRoutes(trie: string): readonly string[] {
  const found = new Set<string>();
  let address = '';
  for (const line of trie.split('\n')) {
    const [, named] = /\|-- ([\d.]+)$/.exec(line) ?? [];
    if (named !== undefined) address = named;
    else if (line.endsWith('/32 host LOCAL') && !address.startsWith('127.')) found.add(address);
  }
  return [...found];
}

/** A line each: the address as 32 digits, four numbers, the name of the link. */
function parseLinks(inet6: string): readonly string[] {
  return inet6.split('\n').flatMap((line) => {
    const words = line.trim().split(/ +/);
    const link = words[5];
    const groups = words[0]?.match(/.{4}/g) ?? [];
    if (link === undefined || link === LOOPBACK || groups.length !== 8) return [];
    const address = new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
    return [isOfLink(address) ? `${address}%${link}` : address];
  });
}

function isOfLink(address: string): boolean {
  return /^fe80:/i.test(address);
}

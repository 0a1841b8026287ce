import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

/**
 * The kinds of value a setting can have: how its text is read, and how its kind is named in the
 * documents. Every schema takes the text of the environment and says what it wanted instead.
 */
export interface Kind<T> {
  readonly wanted: string;
  readonly schema: z.ZodType<T, string>;
}

function kind<T>(wanted: string, read: (text: string) => T | undefined): Kind<T> {
  const schema = z.string().transform((text, context): T => {
    const value = read(text.trim());
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: `wanted ${wanted}` });
    return z.NEVER;
  });
  return { wanted, schema };
}

export function integer(min: number, max: number): Kind<number> {
  return kind(`a whole number from ${min} to ${max}`, (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

export const flag: Kind<boolean> = kind('true or false', (text) => {
  if (text === 'true' || text === '1') return true;
  return text === 'false' || text === '0' ? false : undefined;
});

export function choice<const T extends string>(...values: readonly T[]): Kind<T> {
  return kind(`one of ${values.join(', ')}`, (text) => values.find((value) => value === text));
}

export const host: Kind<string> = kind('an IP address or a host name', (text) =>
  isIP(text) !== 0 || isHostName(text) ? text : undefined,
);

function isHostName(text: string): boolean {
  return /^[A-Za-z0-9.-]{1,253}$/.test(text) && !/^[.-]|[.-]$/.test(text);
}

export function url(...protocols: readonly string[]): Kind<string> {
  return kind(`a URL with ${protocols.join(' or ')}`, (text) => {
    const parsed = URL.canParse(text) ? new URL(text) : undefined;
    return parsed && protocols.includes(parsed.protocol) ? text : undefined;
  });
}

/**
 * One Redis, or several nodes of a Redis Cluster, which has no databases and no unix sockets. A
 * password may hold a comma: only one before a further address separates.
 */
export const redisUrls: Kind<readonly string[]> = kind(
  'a redis://, rediss:// or unix: address, or several nodes of a Redis Cluster separated by commas',
  (text) => {
    const list = text.split(/,\s*(?=rediss?:\/\/|unix:)/);
    const urls = list.flatMap((item) => toRedisUrl(item) ?? []);
    const areNodes = urls.every((item) => item.protocol === urls[0]?.protocol && isNode(item));
    return urls.length === list.length && (list.length === 1 || areNodes) ? list : undefined;
  },
);

/** In small letters alone: whoever reads it further looks for `rediss://` to encrypt. */
function toRedisUrl(text: string): URL | undefined {
  if (!/^(rediss?:\/\/|unix:)/.test(text) || !URL.canParse(text)) return undefined;
  const parsed = new URL(text);
  return parsed.host.includes(',') ? undefined : parsed;
}

function isNode({ protocol, host, pathname, search }: URL): boolean {
  return protocol !== 'unix:' && host !== '' && /^\/?$/.test(pathname) && search === '';
}

/** Origins of upstreams: http(s), no path, no credentials, no query. */
export const origins: Kind<readonly string[]> = kind(
  'one or more http:// or https:// addresses without a path, separated by commas',
  (text) => {
    const list = text.split(',').map((item) => toOrigin(item.trim()));
    if (list.includes(undefined) || new Set(list).size !== list.length) return undefined;
    return list.filter((item) => item !== undefined);
  },
);

function toOrigin(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const parsed = new URL(text);
  const bare = parsed.pathname === '/' && !parsed.search && !parsed.hash && !parsed.username;
  return bare && /^https?:$/.test(parsed.protocol) && !parsed.password ? parsed.origin : undefined;
}

/**
 * Origins of web pages in the one spelling in which browsers send them (RFC 6454): small letters, no
 * default port. Anything more than scheme, host and port could never match, and neither could a
 * pattern.
 */
export const webOrigins: Kind<readonly string[]> = kind(
  'origins of web pages (https://host or https://host:port) separated by commas, or *',
  (text) => {
    if (text === '*') return [text];
    const list = text.split(',').map((item) => toWebOrigin(item.trim()));
    if (list.includes(undefined) || new Set(list).size !== list.length) return undefined;
    return list.filter((item) => item !== undefined);
  },
);

function toWebOrigin(text: string): string | undefined {
  return /^https?:\/\/[^/\\?#@%*\s]+$/i.test(text) ? toOrigin(text) : undefined;
}

/** Addresses and CIDR ranges, checked by the class that will match them. */
export const networks: Kind<readonly string[]> = kind(
  'addresses or CIDR ranges separated by commas, or "none"',
  (text) => {
    if (text === 'none') return [];
    const list = text.split(',').map((item) => item.trim());
    return list.every(isNetwork) ? list : undefined;
  },
);

function isNetwork(text: string): boolean {
  const [address = '', prefix] = text.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(address) === 0 || text.split('/').length > 2) return false;
  if (prefix === undefined) return true;
  if (!/^\d{1,3}$/.test(prefix)) return false;
  try {
    new BlockList().addSubnet(address, Number(prefix), family);
    return true;
  } catch {
    return false;
  }
}

/** `model=number` pairs: a value of its own for some models. */
export const perModel: Kind<ReadonlyMap<string, number>> = kind(
  'model=number pairs separated by commas',
  (text) => {
    const pairs = text.split(',').map((item) => /^\s*([^=\s]+)=(\d{1,8})\s*$/.exec(item));
    const map = new Map<string, number>();
    for (const pair of pairs) {
      if (!pair?.[1] || Number(pair[2]) < 4) return undefined;
      map.set(pair[1], Number(pair[2]));
    }
    return map;
  },
);

export function secret(minBytes: number): Kind<string> {
  return kind(`at least ${minBytes} bytes`, (text) =>
    Buffer.byteLength(text) >= minBytes ? text : undefined,
  );
}

/** systemd sets RUNTIME_DIRECTORY to several folders, separated by colons, if a unit has several. */
export const firstPath: Kind<string> = kind('an absolute path', (text) => {
  const [first = ''] = text.split(':');
  return first.startsWith('/') ? first : undefined;
});

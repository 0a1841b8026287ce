import { expect } from 'chai';
import {
  choice,
  firstPath,
  flag,
  host,
  integer,
  networks,
  origins,
  perModel,
  redisUrls,
  secret,
  url,
  webOrigins,
} from '../../../lib/config/kinds.ts';
import type { Kind } from '../../../lib/config/kinds.ts';

const REFUSED = Symbol('refused');

function read<T>({ schema }: Kind<T>, text: string): unknown {
  const result = schema.safeParse(text);
  return result.success ? result.data : REFUSED;
}

function expectRefused<T>(kind: Kind<T>, ...texts: readonly string[]): void {
  for (const text of texts) expect(read(kind, text), text).to.equal(REFUSED);
}

describe('config/kinds', () => {
  it('reads whole numbers within their bounds, and no other spelling of a number', () => {
    const kind = integer(1, 100);
    expect(read(kind, '1')).to.equal(1);
    expect(read(kind, ' 100 ')).to.equal(100);
    expectRefused(
      kind,
      '0',
      '101',
      '1.5',
      '1e1',
      '0x10',
      '-1',
      '+1',
      'ten',
      '',
      '1 0',
      '9'.repeat(17),
    );
  });

  it('reads flags as words or digits, and not as whatever looks like one', () => {
    expect(['true', '1', 'false', '0'].map((text) => read(flag, text))).to.deep.equal([
      true,
      true,
      false,
      false,
    ]);
    expectRefused(flag, 'yes', 'TRUE', 'on', '2');
  });

  it('reads a choice in its own spelling alone', () => {
    const kind = choice('info', 'debug');
    expect(read(kind, 'debug')).to.equal('debug');
    expectRefused(kind, 'DEBUG', 'trace');
  });

  it('reads hosts by name or address, without a port', () => {
    for (const text of ['127.0.0.1', '::1', 'localhost', 'a-b.example']) {
      expect(read(host, text)).to.equal(text);
    }
    expectRefused(host, 'localhost:80', '[::1]', 'a b', '-a', 'a.', 'a'.repeat(254));
  });

  it('reads URLs of the named protocols, those of unix sockets among them', () => {
    const kind = url('postgresql:', 'unix:');
    for (const text of ['postgresql:///db?host=/run/pg&user=gw', 'unix:///run/redis.sock']) {
      expect(read(kind, text)).to.equal(text);
    }
    expectRefused(kind, 'http://localhost', 'localhost', '');
  });

  it('reads one Redis, whose password may hold a comma', () => {
    for (const text of ['redis://:a,b@h:1/2', 'rediss://h', 'unix:///run/redis.sock']) {
      expect(read(redisUrls, text)).to.deep.equal([text]);
    }
    expectRefused(redisUrls, 'http://h', 'h:6379', 'redis:h', 'redis://h:1,h:2', 'redis://h,', '');
    expectRefused(redisUrls, 'REDISS://h', 'redis://h:99999');
  });

  it('reads the nodes of a Redis Cluster, in which nothing counts that only one Redis has', () => {
    expect(read(redisUrls, 'redis://:a,b@h:1, redis://[::1]:2,redis://i')).to.deep.equal([
      'redis://:a,b@h:1',
      'redis://[::1]:2',
      'redis://i',
    ]);
    expectRefused(redisUrls, 'redis://h,rediss://i', 'redis://h,unix:///i', 'unix:///h,unix:///i');
    expectRefused(redisUrls, 'redis://h,redis://i/2', 'redis://h,redis://i?family=6');
    expectRefused(redisUrls, 'redis://h,redis://', 'redis://h,redis://i,', 'redis://h,j');
  });

  it('reads several upstreams as origins, each once, and none with a path or credentials', () => {
    expect(read(origins, 'http://A:11434/, https://b')).to.deep.equal([
      'http://a:11434',
      'https://b',
    ]);
    expectRefused(origins, 'http://a,http://a/', 'http://a/v1', 'http://u:p@a', 'ftp://a', 'a', '');
    expectRefused(origins, 'http://a?x', 'http://a#x', 'http://:p@a', 'http://a,');
  });

  it('reads origins of web pages in the spelling of browsers, or all of them at once', () => {
    expect(read(webOrigins, 'https://Chat.Example.com, http://localhost:3000')).to.deep.equal([
      'https://chat.example.com',
      'http://localhost:3000',
    ]);
    expect(read(webOrigins, 'https://a:443,https://a:8443,http://[::1]:80')).to.deep.equal([
      'https://a',
      'https://a:8443',
      'http://[::1]',
    ]);
    expect(read(webOrigins, ' * ')).to.deep.equal(['*']);
  });

  it('refuses origins that no browser would ever send, so that nobody waits for them to match', () => {
    expectRefused(webOrigins, 'https://a/', 'https://a/app', 'https://a?', 'https://a#', 'https:a');
    expectRefused(
      webOrigins,
      'https://*.example.com',
      'https://u@a',
      'https://a\\',
      'a',
      'null',
      '',
    );
    expectRefused(
      webOrigins,
      '*,https://a',
      'https://a,*',
      'https://a,https://A:443',
      'https://a,',
    );
    expectRefused(webOrigins, 'ftp://a', 'https://a:99999', 'https://%61', 'https://a b');
  });

  it('reads addresses and ranges of both families, or none', () => {
    expect(read(networks, '127.0.0.0/8, ::1')).to.deep.equal(['127.0.0.0/8', '::1']);
    expect(read(networks, 'none')).to.deep.equal([]);
    expectRefused(networks, 'localhost', '1.2.3.4/33', '::/129', '1.2.3.4/8/8', '1.2.3.4/x', '');
  });

  it('reads a number for each of several models, whose names hold colons', () => {
    expect(read(perModel, 'llama3:8b=16384, m=4')).to.deep.equal(
      new Map([
        ['llama3:8b', 16_384],
        ['m', 4],
      ]),
    );
    expectRefused(perModel, 'llama3', 'm=', '=5', 'm=3', 'm=x', 'm=5,');
  });

  it('measures secrets in bytes', () => {
    expect(read(secret(4), 'ää')).to.equal('ää');
    expectRefused(secret(4), 'abc');
  });

  it('takes the first of several runtime folders, as systemd lists them', () => {
    expect(read(firstPath, '/run/a:/run/b')).to.equal('/run/a');
    expectRefused(firstPath, 'run', ':/run');
  });
});

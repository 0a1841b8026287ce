import { DOMAIN } from './start-caddy.ts';

/** What is sent on one connection, byte by byte; `text` is latin1. */
export interface SmugglingCase {
  readonly name: string;
  readonly text: string;
}

export const VISIBLE = 'the visible request';
export const SMUGGLED = 'the smuggled request';

/** A body of /api/chat that names who it is. */
export function makeChat(words: string): string {
  return JSON.stringify({ model: 'llama3', messages: [{ role: 'user', content: words }] });
}

const BODY = makeChat(VISIBLE);
const BYTES = BODY.length;

/**
 * Requests whose end could be seen in two places, of which one makes a second request of what follows;
 * with `key` both could be served. The classes are those of RFC 9112 §11.2 and of the work on
 * request smuggling since 2019 (CL.TE, TE.CL, TE.TE, CL.0, chunk sizes, line ends, upgrades).
 */
export function makeSmugglingCases(key: string): readonly SmugglingCase[] {
  const second =
    `POST /api/chat HTTP/1.1\r\nHost: ${DOMAIN}\r\nAuthorization: Bearer ${key}\r\n` +
    `Content-Length: ${makeChat(SMUGGLED).length}\r\n\r\n${makeChat(SMUGGLED)}`;
  const ended = `0\r\n\r\n${second}`;
  const chunked = `${BYTES.toString(16)}\r\n${BODY}\r\n`;

  function head(headers: readonly string[], line = 'POST /api/chat HTTP/1.1'): string {
    const all = [line, `Host: ${DOMAIN}`, `Authorization: Bearer ${key}`, ...headers];
    return `${all.join('\r\n')}\r\n\r\n`;
  }

  const framings: readonly (readonly [headers: readonly string[], body: string])[] = [
    [[`Content-Length: ${ended.length}`, 'Transfer-Encoding: chunked'], ended],
    [['Transfer-Encoding: chunked', `Content-Length: ${ended.length}`], ended],
    [['Transfer-Encoding: chunked', `Content-Length: ${BYTES}`], `${chunked}${ended}`],
    [['Transfer-Encoding: chunked', 'Content-Length: 4'], `${chunked}${ended}`],
    ...OBFUSCATED.map((line) => [[`Content-Length: ${ended.length}`, line], ended] as const),
    ...OBFUSCATED.map((line) => [[line], `${chunked}${ended}`] as const),
    ...makeLengths(BYTES).map((lines) => [lines, `${BODY}${second}`] as const),
    ...makeChunks(BODY, second).map((body) => [['Transfer-Encoding: chunked'], body] as const),
    [['Expect: 100-continue', `Content-Length: ${BYTES}`], `${BODY}${second}`],
    [['Expect: 100-continue, x', `Content-Length: ${BYTES}`], `${BODY}${second}`],
    [
      [
        'Upgrade: h2c',
        'Connection: Upgrade, HTTP2-Settings',
        'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
      ],
      second,
    ],
    [['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'], second],
    [['Connection: Content-Length', `Content-Length: ${BYTES}`], `${BODY}${second}`],
    [['Connection: Transfer-Encoding', 'Transfer-Encoding: chunked'], `${chunked}${ended}`],
    [
      ['Connection: Authorization, X-Forwarded-For', `Content-Length: ${BYTES}`],
      `${BODY}${second}`,
    ],
    [['X-A: b', ' folded: c', `Content-Length: ${BYTES}`], `${BODY}${second}`],
    [['X-A: b\u0000c', `Content-Length: ${BYTES}`], `${BODY}${second}`],
    [['X-A\u0000: b', `Content-Length: ${BYTES}`], `${BODY}${second}`],
    [['X-A: b\rContent-Length: 0', `Content-Length: ${BYTES}`], `${BODY}${second}`],
    [['no colon', `Content-Length: ${BYTES}`], `${BODY}${second}`],
    [['Host: evil.example', `Content-Length: ${BYTES}`], `${BODY}${second}`],
    [[], second],
  ];
  const lines = [
    ['POST /api/chat HTTP/1.0', ['Transfer-Encoding: chunked'], `${chunked}${ended}`],
    [
      'POST /api/chat HTTP/1.0',
      [`Content-Length: ${BYTES}`, 'Connection: keep-alive'],
      `${BODY}${second}`,
    ],
    ['POST /api/chat HTTP/1.2', [`Content-Length: ${BYTES}`], `${BODY}${second}`],
    ['POST /api/chat HTTP/2.0', [`Content-Length: ${BYTES}`], `${BODY}${second}`],
    ['POST /api/chat', [`Content-Length: ${BYTES}`], `${BODY}${second}`],
    ['GET /api/tags HTTP/1.1', [`Content-Length: ${second.length}`], second],
    [
      'GET /api/tags HTTP/1.1',
      ['Transfer-Encoding: chunked'],
      `${second.length.toString(16)}\r\n${second}\r\n0\r\n\r\n`,
    ],
    ['HEAD /api/tags HTTP/1.1', [`Content-Length: ${second.length}`], second],
    ['OPTIONS * HTTP/1.1', [`Content-Length: ${second.length}`], second],
    [`CONNECT ${DOMAIN}:443 HTTP/1.1`, [], second],
    ['PRI * HTTP/2.0', [], second],
    [
      'POST http://evil.example/api/chat HTTP/1.1',
      [`Content-Length: ${BYTES}`],
      `${BODY}${second}`,
    ],
    [`POST https://${DOMAIN}/api/chat HTTP/1.1`, [`Content-Length: ${BYTES}`], `${BODY}${second}`],
    ['POST /api/chat\u00a0HTTP/1.1', [`Content-Length: ${BYTES}`], `${BODY}${second}`],
    ['POST /api/chat HTTP/1.1 HTTP/1.1', [`Content-Length: ${BYTES}`], `${BODY}${second}`],
    ['POST /healthz HTTP/1.1', [`Content-Length: ${second.length}`], second],
    ['GET /metrics HTTP/1.1', ['Transfer-Encoding: chunked'], ended],
  ] as const;
  const ordinary = head([`Content-Length: ${BYTES}`]) + BODY;
  return [
    { name: 'two requests one after the other', text: ordinary + ordinary },
    { name: 'bare line feeds', text: ordinary.replaceAll('\r\n', '\n') + second },
    { name: 'carriage returns alone', text: head([]).replaceAll('\r\n', '\r') + second },
    { name: 'empty lines before the request line', text: `\r\n\r\n${ordinary}` },
    ...framings.map(([headers, body]) => ({
      name: JSON.stringify(headers).slice(0, 90) + toHint(body, chunked),
      text: head(headers) + body,
    })),
    ...lines.map(([line, headers, body]) => ({
      name: JSON.stringify([line, ...headers]),
      text: head(headers, line) + body,
    })),
  ];
}

/** Tells cases with the same headers apart. */
function toHint(body: string, chunked: string): string {
  return body.startsWith(chunked) ? ', a body before' : ` ${JSON.stringify(body.slice(0, 24))}`;
}

const OBFUSCATED = [
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunkedx',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding:chunked',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding:\u000bchunked',
  'Transfer-Encoding: \u000cchunked',
  'Transfer-Encoding: chunked\u0000',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding: CHUNKED',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: x',
  'Transfer-Encoding: x\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity, chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: chunked;q=1',
  'Transfer-Encoding:\r\n chunked',
  'Transfer-Encoding\r\n : chunked',
  ' Transfer-Encoding: chunked',
  'X: y\nTransfer-Encoding: chunked',
  'X: y\rTransfer-Encoding: chunked',
  'Transfer_Encoding: chunked',
  'Transfer-Encoding:',
] as const;

function makeLengths(bytes: number): readonly (readonly string[])[] {
  return [
    [`Content-Length: ${bytes}`, `Content-Length: ${bytes}`],
    [`Content-Length: ${bytes}`, 'Content-Length: 0'],
    ['Content-Length: 0', `Content-Length: ${bytes}`],
    [`Content-Length: ${bytes}, ${bytes}`],
    [`Content-Length: +${bytes}`],
    [`Content-Length: -${bytes}`],
    [`Content-Length: 0x${bytes.toString(16)}`],
    [`Content-Length: 0${bytes}`],
    [`Content-Length: ${bytes}.0`],
    [`Content-Length: ${bytes} `],
    [`Content-Length:  ${bytes}`],
    [`Content-Length: ${bytes} 0`],
    [`Content-Length: ${bytes}_0`],
    [`Content-Length: ${bytes}\u0000`],
    [`Content-Length : ${bytes}`],
    [`Content-Length:\u000b${bytes}`],
    [`Content-Length:\r\n ${bytes}`],
    ['Content-Length:'],
    ['Content-Length: 18446744073709551616'],
    [`Content_Length: ${bytes}`],
    [`Content-Length: ${bytes}\nContent-Length: 0`],
  ];
}

function makeChunks(body: string, second: string): readonly string[] {
  const size = body.length.toString(16);
  const ended = `0\r\n\r\n${second}`;
  return [
    `${size};extension=1\r\n${body}\r\n${ended}`,
    `${size};a="\r\n${body}\r\n"\r\n${ended}`,
    `${size} ;a\r\n${body}\r\n${ended}`,
    `${size};\n${body}\r\n${ended}`,
    `${size}\n${body}\n0\n\n${second}`,
    `${size}\r${body}\r\n${ended}`,
    `${size}\r\n${body}${ended}`,
    `${size}\r\n${body}XX${ended}`,
    `0x${size}\r\n${body}\r\n${ended}`,
    `+${size}\r\n${body}\r\n${ended}`,
    `-${size}\r\n${body}\r\n${ended}`,
    ` ${size}\r\n${body}\r\n${ended}`,
    `${'0'.repeat(20)}${size}\r\n${body}\r\n${ended}`,
    `1${'0'.repeat(14)}${size.padStart(2, '0')}\r\n${body}\r\n${ended}`,
    `ffffffffffffffff\r\n${body}\r\n${ended}`,
    `fffffffffffffffff\r\n${body}\r\n${ended}`,
    `${size}\r\n${body}\r\n0\r\nContent-Length: 5\r\nAuthorization: Bearer x\r\n\r\n${second}`,
    `${size}\r\n${body}\r\n0\r\nX: y\n\n${second}`,
    `${size}\r\n${body}\r\n0\r\n${second}`,
    `${size}\r\n${body}\r\n00\r\n\r\n${second}`,
    `${size}\r\n${body}\r\n\r\n${second}`,
    `\r\n${size}\r\n${body}\r\n${ended}`,
  ];
}

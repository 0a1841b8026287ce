import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { request as requestHttps } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { systemClock } from '../../lib/time/clock.ts';
import { RawClient } from './raw-client.ts';
import { DOMAIN } from './start-caddy.ts';
import type { Caddy } from './start-caddy.ts';

export interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A reply and when each piece of its body came (systemClock.monotonicMs). */
export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly pieces: readonly { readonly text: string; readonly atMs: number }[];
}

type Reply = AsyncIterable<Buffer>;

/** Over HTTP/1.1, on a connection of its own. */
export async function askHttp1(caddy: Caddy, asked: Asked): Promise<Answered> {
  const { method = 'GET', path, headers = {}, body = '' } = asked;
  const request = requestHttps({
    host: '127.0.0.1',
    port: caddy.port,
    servername: DOMAIN,
    ca: caddy.ca,
    agent: false,
    method,
    path,
    headers: {
      host: DOMAIN,
      ...(body === '' ? {} : { 'content-length': Buffer.byteLength(body) }),
      ...headers,
    },
  });
  // The refusal of a body may come, and the connection end, before all of it was sent.
  request.on('error', () => undefined);
  request.end(body);
  const [response] = (await once(request, 'response')) as [
    Reply & { statusCode: number; headers: IncomingHttpHeaders },
  ];
  return { status: response.statusCode, headers: response.headers, ...(await gather(response)) };
}

/** Over HTTP/2, on a session of its own. */
export async function askHttp2(caddy: Caddy, asked: Asked): Promise<Answered> {
  const session = openHttp2(caddy);
  try {
    return await askOn(session, asked);
  } finally {
    session.destroy();
  }
}

export function openHttp2(caddy: Caddy): ClientHttp2Session {
  const session = connectHttp2(`https://127.0.0.1:${caddy.port}`, {
    servername: DOMAIN,
    ca: caddy.ca,
  });
  session.on('error', () => undefined);
  return session;
}

async function askOn(session: ClientHttp2Session, asked: Asked): Promise<Answered> {
  const { method = 'GET', path, headers, body = '' } = asked;
  const sent: OutgoingHttpHeaders = {
    ':method': method,
    ':path': path,
    ':authority': DOMAIN,
    ...headers,
  };
  const stream = session.request(sent, { endStream: body === '' });
  if (body !== '') stream.end(body);
  const [got] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }];
  return { status: got[':status'], headers: got, ...(await gather(stream as Reply)) };
}

async function gather(reply: Reply): Promise<Pick<Answered, 'body' | 'pieces'>> {
  const pieces: { text: string; atMs: number }[] = [];
  for await (const chunk of reply) {
    pieces.push({ text: chunk.toString('utf8'), atMs: systemClock.monotonicMs() });
  }
  return { body: pieces.map(({ text }) => text).join(''), pieces };
}

/** A client that writes bytes as a test dictates them, over TLS. */
export async function openRawTls(caddy: Caddy): Promise<RawClient> {
  const socket = connectTls({
    host: '127.0.0.1',
    port: caddy.port,
    servername: DOMAIN,
    ca: caddy.ca,
    ALPNProtocols: ['http/1.1'],
  });
  const client = new RawClient(socket);
  await once(socket, 'secureConnect');
  return client;
}

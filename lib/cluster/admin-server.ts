import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Readiness } from '../health/readiness.ts';

export interface AdminParts {
  readonly host: string;
  readonly port: number;
  readiness(): Readiness;
  /** In parts, so that a large text holds nobody up. */
  renderMetrics(): AsyncIterable<string>;
}

export interface AdminServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Health with its details and the metrics, on a listener of its own that is never made public. */
export async function openAdminServer(parts: AdminParts): Promise<AdminServer> {
  const server = createServer(
    { requestTimeout: 5_000, keepAliveTimeout: 5_000 },
    (request, response) => {
      request.resume();
      void answer(parts, `${request.method ?? ''} ${request.url ?? ''}`, response);
    },
  );
  server.on('clientError', (_error, socket) => {
    socket.destroy();
  });
  await listen(server, parts.host, parts.port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function answer(parts: AdminParts, line: string, response: ServerResponse): Promise<void> {
  if (line === 'GET /healthz') {
    send(response, 200, { status: 'pass' });
  } else if (line === 'GET /readyz') {
    const readiness = parts.readiness();
    send(response, readiness.status === 'pass' ? 200 : 503, readiness);
  } else if (line === 'GET /metrics') {
    await sendMetrics(parts, response);
  } else {
    send(response, 404, { error: 'not found' });
  }
}

/** A text that breaks off ends its connection: a part is not taken for the whole. */
async function sendMetrics(parts: AdminParts, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  await pipeline(Readable.from(parts.renderMetrics()), response).catch(() => undefined);
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

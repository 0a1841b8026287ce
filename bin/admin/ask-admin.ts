import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Settings } from '../../lib/config/settings.ts';
import { CommandError } from '../program/command-error.ts';
import { EXIT } from '../program/exit-code.ts';

/** Where a gateway's admin listener is. */
export type AdminPlace = Pick<Settings, 'adminHost' | 'adminPort'>;

export interface AdminQuestion {
  readonly path: '/readyz' | '/metrics';
  /** Bounds the whole answer. */
  readonly withinMs: number;
  /** Ends it before its time. */
  readonly signal?: AbortSignal | undefined;
}

export interface AdminAnswer {
  readonly status: number;
  readonly text: string;
}

/** The metrics of 200 tenants and 100 models, each with its histograms, are less. */
const MOST_BYTES = 64 * 1_024 * 1_024;

/** A listener on every address is asked on loopback. */
const ANY: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/**
 * Asks the admin listener on a connection of its own. Throws CommandError `gateway_unreachable`
 * (exit 6), also where the answer did not come as a whole, and a usage error where the port cannot
 * be known.
 */
export async function askAdmin(place: AdminPlace, question: AdminQuestion): Promise<AdminAnswer> {
  if (place.adminPort === 0) {
    throw new CommandError('NZGW_ADMIN_PORT is 0, which is any free port', {
      exitCode: EXIT.usage,
      code: 'admin_port_unknown',
      hint: 'the log of the gateway names it (admin_listening): NZGW_ADMIN_PORT=… nzgw status',
    });
  }
  try {
    return await send(place, question);
  } catch (error) {
    throw unreachable(place, error);
  }
}

/** As it stands in texts: http://127.0.0.1:9464. */
export function toAdminUrl({ adminHost, adminPort }: AdminPlace): string {
  const host = ANY[adminHost] ?? adminHost;
  return `http://${host.includes(':') ? `[${host}]` : host}:${adminPort}`;
}

/** What answers there is no gateway, or one whose answers this program does not understand. */
export function refuseAnswer(place: AdminPlace, cause?: unknown): CommandError {
  return new CommandError(`what answers at ${toAdminUrl(place)} is not a gateway of this version`, {
    exitCode: EXIT.unreachable,
    code: 'gateway_unexpected',
    hint: 'nzgw config NZGW_ADMIN_PORT tells where the address comes from',
    cause,
  });
}

function send(place: AdminPlace, question: AdminQuestion): Promise<AdminAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<AdminAnswer>();
  const asked = request({
    host: ANY[place.adminHost] ?? place.adminHost,
    port: place.adminPort,
    path: question.path,
    agent: false,
    signal: AbortSignal.any([
      AbortSignal.timeout(question.withinMs),
      ...(question.signal ? [question.signal] : []),
    ]),
  });
  asked.once('error', reject);
  asked.once('response', (response) => {
    readWhole(response).then((text) => {
      resolve({ status: response.statusCode ?? 0, text });
    }, reject);
  });
  asked.end();
  return promise;
}

/** Leaving the loop early ends the connection. */
async function readWhole(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new RangeError('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unreachable(place: AdminPlace, cause: unknown): CommandError {
  return new CommandError(`no gateway answers at ${toAdminUrl(place)}`, {
    exitCode: EXIT.unreachable,
    code: 'gateway_unreachable',
    hint: 'is nzgw serve running? nzgw config NZGW_ADMIN_PORT tells where the address comes from',
    cause,
  });
}

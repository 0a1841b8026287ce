import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../lib/time/clock.ts';
import { buildReply, buildWhole } from './fake-lines.ts';
import type { Asked } from './fake-lines.ts';
import { isPlain } from './fake-script.ts';
import type { Script } from './fake-script.ts';

/** Plays one script on one response. Ends when it has played, or when the reader hung up. */
export async function play(response: ServerResponse, asked: Asked, script: Script): Promise<void> {
  if (script.firstByteMs !== undefined) await waitWhileOpen(response, script.firstByteMs);
  if (response.destroyed) return;
  if (script.status !== undefined) {
    response.writeHead(script.status, flatten(script));
    await end(response, script, script.body ?? '');
  } else if (asked.stream) {
    await playStream(response, asked, script);
  } else {
    await playWhole(response, asked, script);
  }
}

/** A test that is done must not wait for what nobody reads any more. */
async function waitWhileOpen(response: ServerResponse, ms: number): Promise<void> {
  const gone = new AbortController();
  const onClose = (): void => {
    gone.abort();
  };
  response.once('close', onClose);
  await wait(ms, undefined, { signal: gone.signal }).catch(() => undefined);
  response.off('close', onClose);
}

/** A reply without faults, from chunks that are made once: cheap enough to measure against. */
export class PreparedReplies {
  readonly #chunks = new Map<string, readonly Buffer[]>();
  #script: Script | undefined;

  send(response: ServerResponse, asked: Asked, script: Script): boolean {
    if (!isPlain(script)) return false;
    const chunks = this.#find(asked, script);
    if (asked.stream) {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      for (const chunk of chunks) response.write(chunk);
      response.end();
    } else {
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
      response.end(chunks[0]);
    }
    return true;
  }

  #find(asked: Asked, script: Script): readonly Buffer[] {
    const tokens = Math.min(script.tokens ?? 3, asked.numPredict ?? Infinity);
    const key = [asked.route, asked.model, asked.stream, tokens, asked.inputs].join(' ');
    const known = this.#chunks.get(key);
    if (known && this.#script === script) return known;
    if (this.#script !== script || this.#chunks.size > 256) this.#chunks.clear();
    this.#script = script;
    const made = prepare(asked, script);
    this.#chunks.set(key, made);
    return made;
  }
}

function prepare(asked: Asked, script: Script): readonly Buffer[] {
  if (!asked.stream) return [Buffer.from(buildWhole(asked, script))];
  const { lines, last } = buildReply(asked, script);
  return [...lines, last].map((line) => Buffer.from(`${line}\n`));
}

async function playWhole(response: ServerResponse, asked: Asked, script: Script): Promise<void> {
  if (script.stallAfterLines === 0 || breakAt(response, script, 0)) return;
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', ...script.headers });
  const text = script.garbage ?? buildWhole(asked, script);
  if (script.stallAfterLines !== undefined || script.resetAfterLines !== undefined) {
    await send(response, text.slice(0, text.length / 2), script);
    breakAt(response, script, 1);
    return;
  }
  await end(response, script, text);
}

async function playStream(response: ServerResponse, asked: Asked, script: Script): Promise<void> {
  const { lines, last } = buildReply(asked, script);
  let sent = 0;
  while (!response.destroyed) {
    if (script.stallAfterLines === sent || breakAt(response, script, sent)) return;
    if (script.endAfterLines === sent) break;
    const bad = badLineAt(script, sent);
    if (bad !== null) await send(response, bad, script);
    if (script.errorAfterLines === sent) break;
    const line = lines[script.endless === true ? sent % Math.max(1, lines.length) : sent];
    await send(response, `${line ?? last}\n`, script);
    if (line === undefined) break;
    sent += 1;
    if (script.paceMs !== undefined) await wait(script.paceMs);
  }
  if (script.holdAtEnd === true) return;
  await end(response, script, '');
}

function badLineAt(script: Script, sent: number): string | null {
  if (script.garbageAfterLines === sent) return `${script.garbage ?? '<html>'}\n`;
  if (script.errorAfterLines !== sent) return null;
  return `${JSON.stringify({ error: script.errorText ?? 'boom' })}\n`;
}

/** True if the script breaks the connection here. */
function breakAt(response: ServerResponse, script: Script, sent: number): boolean {
  if (script.resetAfterLines === sent) response.socket?.resetAndDestroy();
  else if (script.dropAfterLines === sent) response.socket?.destroy();
  else return false;
  return true;
}

async function send(response: ServerResponse, text: string, script: Script): Promise<void> {
  if (!response.headersSent) {
    response.writeHead(200, { 'content-type': 'application/x-ndjson', ...flatten(script) });
  }
  script.onLine?.(systemClock.monotonicMs());
  const bytes = Buffer.from(text);
  const step = script.splitBytes ?? bytes.length;
  for (let at = 0; at < bytes.length && !response.destroyed; at += step) {
    const more = response.write(bytes.subarray(at, at + step));
    if (script.splitBytes !== undefined) await new Promise(setImmediate);
    if (!more) await drained(response);
  }
}

async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed || !response.writableNeedDrain) return;
  const stop = new AbortController();
  const { signal } = stop;
  const ended = Promise.race([
    once(response, 'drain', { signal }),
    once(response, 'close', { signal }),
  ]);
  await ended.finally(() => {
    stop.abort();
  });
}

async function end(response: ServerResponse, script: Script, text: string): Promise<void> {
  const { socket } = response;
  if (text !== '') {
    if (script.splitBytes !== undefined) await send(response, text, script);
    else response.write(text);
  }
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.end();
  if (script.extraResponse !== undefined) socket?.write(script.extraResponse);
}

function flatten(script: Script): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(script.headers ?? {})) {
    headers[name] = typeof value === 'string' ? value : [...value];
  }
  return headers;
}

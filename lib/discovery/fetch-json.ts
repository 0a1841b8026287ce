import { DiscoveryFault } from './discovery-fault.ts';

/** Bytes of one reply; 1,000 models list in less than a quarter of it. */
export const MAX_REPLY_BYTES = 4 * 1_024 * 1_024;

export interface Question {
  readonly url: string;
  /** Sent by POST as JSON; without one the question is a GET. */
  readonly body?: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number;
  /** Ends the question before its time. */
  readonly signal: AbortSignal;
}

/**
 * Asks an upstream and parses its reply of status 200, which may have 4 MiB. No redirect is
 * followed and no header of ours tells who asks. Throws DiscoveryFault, and nothing else.
 */
export async function fetchJson(question: Question): Promise<unknown> {
  const timeout = AbortSignal.timeout(question.timeoutMs);
  const signal = AbortSignal.any([question.signal, timeout]);
  try {
    const response = await fetch(question.url, { ...toInit(question), signal });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new DiscoveryFault('upstream_status');
    }
    return parse(await readBounded(response));
  } catch (error) {
    if (error instanceof DiscoveryFault) throw error;
    if (question.signal.aborted) throw new DiscoveryFault('stopped');
    throw new DiscoveryFault(timeout.aborted ? 'upstream_timeout' : 'upstream_unreachable');
  }
}

function toInit({ body }: Question): RequestInit {
  const headers = { accept: 'application/json', 'accept-encoding': 'identity' };
  if (!body) return { headers, redirect: 'error' };
  return {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    redirect: 'error',
  };
}

/** Leaving the loop early, by a throw as well, destroys the connection. */
async function readBounded(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_REPLY_BYTES) throw new DiscoveryFault('reply_too_large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new DiscoveryFault('reply_malformed');
  }
}

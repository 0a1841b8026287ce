import { decodeEntry, isEntry } from './entry-codec.ts';
import type { Entry } from './entry.ts';

/** The status of a request whose worker died: nobody knows what its client was told. */
const UNKNOWN_STATUS = 0;
const LIMITER_UNAVAILABLE_STATUS = 503;

/**
 * Reads one event of a shard's stream, as lua/events.lua appends it; null for anything that is none.
 * `entry` holds a whole entry; `lost` and `refused` hold what was known at admission.
 */
export function decodeEvent(fields: readonly string[]): Entry | null {
  const [kind, text = ''] = fields;
  if (kind === 'entry') return decodeEntry(text);
  if (kind !== 'lost' && kind !== 'refused') return null;
  const known = readKnown(text);
  if (known === null) return null;

  const named = new Map(fields.flatMap((name, n) => (n % 2 ? [] : [[name, fields[n + 1]]])));
  const promptTokens = Number(named.get('prompt') ?? 0);
  const completionTokens = Number(named.get('completion') ?? 0);
  const candidate = {
    ...known,
    keyId: named.get('key'),
    tenantId: named.get('tenant'),
    admittedAtMs: Number(named.get('at')),
    promptTokens,
    completionTokens,
    chargedTokens: Number(named.get('tokens')),
    countSource: promptTokens + completionTokens > 0 ? 'estimated' : 'none',
    firstTokenMs: null,
    durationMs: 0,
    bytesOut: 0,
    ...(kind === 'lost'
      ? { status: UNKNOWN_STATUS, outcome: 'lost', refusalCode: null }
      : {
          status: LIMITER_UNAVAILABLE_STATUS,
          outcome: 'refused',
          refusalCode: 'limiter_unavailable',
        }),
  };
  return isEntry(candidate) ? candidate : null;
}

function readKnown(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

import type { Entry } from './entry.ts';

type Shape = Readonly<Record<keyof Entry, 'string' | 'string?' | 'number' | 'number?' | 'boolean'>>;

const SHAPE: Shape = {
  id: 'string',
  admittedAtMs: 'number',
  tenantId: 'string',
  keyId: 'string',
  clientAddress: 'string?',
  clientRequestId: 'string?',
  dialect: 'string',
  endpoint: 'string',
  model: 'string?',
  status: 'number',
  outcome: 'string',
  refusalCode: 'string?',
  promptTokens: 'number',
  completionTokens: 'number',
  chargedTokens: 'number',
  countSource: 'string',
  firstTokenMs: 'number?',
  durationMs: 'number',
  bytesOut: 'number',
  streamed: 'boolean',
};
const FIELDS = Object.entries(SHAPE);

/** Ends of the time that Postgres's partitions are made for: 1970 and 2100. */
const LAST_MS = 4_102_444_800_000;

/** A whole entry as it stands in the stream. */
export function encodeEntry(entry: Entry): string {
  return JSON.stringify(entry);
}

/**
 * Reads an entry of the stream; null for anything that is not one. Whether its ids, words and sizes
 * are what the schema wants is Postgres's to say.
 */
export function decodeEntry(text: string): Entry | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return isEntry(value) ? value : null;
}

/** Whether a value has every field of an entry, each of its type. */
export function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Record<string, unknown>;
  if (!FIELDS.every(([field, type]) => fits(record[field], type))) return false;
  const atMs = record['admittedAtMs'];
  return Number.isInteger(atMs) && Number(atMs) >= 0 && Number(atMs) < LAST_MS;
}

function fits(value: unknown, type: Shape[keyof Entry]): boolean {
  if (value === null) return type.endsWith('?');
  return typeof value === type.replace('?', '');
}

import type { ModelWindow, Shard, WindowEntry } from './shard.ts';

/** Sixty whole seconds and the one that runs: what lies in them counts. */
const SECONDS = 61;
const TTL_MS = 62_000;

/** What counts now, and the second that a new weight would be written to. */
export function lookAt(
  window: ModelWindow | undefined,
  nowMs: number,
): { readonly second: number; readonly counted: readonly WindowEntry[]; readonly sum: number } {
  const now = Math.floor(nowMs / 1_000);
  // A clock that was set back goes on with the newest second.
  const second = window ? Math.max(now, window.at) : now;
  const counted = (window?.entries ?? []).filter((entry) => entry.second > second - SECONDS);
  return { second, counted, sum: sumOf(counted) };
}

/** Milliseconds until so much fits; those of a whole window if it never does. */
export function waitFor(
  window: ModelWindow | undefined,
  nowMs: number,
  { need, limit }: { readonly need: number; readonly limit: number },
): number {
  const { counted } = lookAt(window, nowMs);
  const seconds = [...new Set(counted.map(({ second }) => second))].sort((a, b) => a - b);
  for (const second of seconds) {
    const left = sumOf(counted.filter((entry) => entry.second > second));
    if (left + need <= limit) return (second + SECONDS) * 1_000 - nowMs;
  }
  return SECONDS * 1_000;
}

/** Writes a weight; the second that it was written to. */
export function addTo(
  shard: Shard,
  name: string,
  entry: Pick<WindowEntry, 'id' | 'weight' | 'trueMs'>,
): number {
  const found = shard.windows.get(name);
  const { second } = lookAt(found, shard.nowMs);
  const window = found ?? { at: -1, entries: [], expiresAtMs: 0 };
  if (window.at !== second) window.expiresAtMs = shard.nowMs + TTL_MS;
  window.at = second;
  window.entries.push({ ...entry, second });
  shard.windows.set(name, window);
  return second;
}

/** Takes back from the weight of one request, while it counts. */
export function lower(
  shard: Shard,
  name: string,
  { id, second, less }: { readonly id: string; readonly second: number; readonly less: number },
): void {
  const window = shard.windows.get(name);
  if (window === undefined || less <= 0 || window.at - second >= SECONDS) return;
  const entry = window.entries.find((one) => one.id === id && one.second === second);
  if (entry !== undefined) entry.weight = Math.max(0, entry.weight - less);
}

export function sumOf(entries: readonly WindowEntry[]): number {
  return entries.reduce((sum, { weight }) => sum + weight, 0);
}

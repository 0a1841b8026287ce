import type { Entry } from '../ledger/entry.ts';

/**
 * One entry for each admission: the first that knows how it ended, else the first. A batch may hold
 * what a lost worker left behind beside the settlement that came after all.
 */
export function chooseEntries(entries: readonly Entry[]): readonly Entry[] {
  const chosen = new Map<string, Entry>();
  for (const entry of entries) {
    const name = `${entry.admittedAtMs} ${entry.id}`;
    const other = chosen.get(name);
    const isBetter = other === undefined || (other.outcome === 'lost' && entry.outcome !== 'lost');
    if (isBetter) chosen.set(name, entry);
  }
  return [...chosen.values()];
}

const stops: (() => Promise<void>)[] = [];

/** Remembers what must be stopped when mocha has run everything; the last started ends first. */
export function stopAtEnd(stop: () => Promise<void>): void {
  stops.push(stop);
}

/** Called by the root hook; what is needed again afterwards starts anew. */
export async function stopAll(): Promise<void> {
  for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop();
}

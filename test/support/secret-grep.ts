/** A place where a secret must never turn up, and what was found there. */
export interface Sink {
  readonly name: string;
  readonly text: string;
}

/** What the tests of one process made and must not see again. Longer than any chance match. */
const secrets = new Set<string>();
const sinks: Sink[] = [];

/** Remembers a secret that a test made: a key, a prompt, a password, an upstream's words. */
export function noteSecret(secret: string): void {
  if (secret.length < 8) throw new RangeError('too short to be searched for');
  secrets.add(secret);
}

/** Remembers what a process said, or what a store held. */
export function noteSink(name: string, text: string): void {
  sinks.push({ name, text });
}

/** Where any of the secrets stands: names of sinks, never the secret. */
export function findLeaks(
  places: readonly Sink[] = sinks,
  wanted: Iterable<string> = secrets,
): readonly string[] {
  const found = new Set<string>();
  for (const secret of wanted) {
    const encoded = Buffer.from(secret).toString('base64').replace(/=+$/, '');
    for (const { name, text } of places) {
      if (text.includes(secret) || text.includes(encoded)) found.add(name);
    }
  }
  return [...found];
}

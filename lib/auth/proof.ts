/** What is worth counting about authentication. */
export type AuthEvent =
  /** How a key's secret was proved: by the worker's map, by the Redis entry, by Argon2. */
  | 'proved_by_map'
  | 'proved_by_store'
  | 'proved_by_argon2'
  /** A proof could not be shared; the next worker makes its own. */
  | 'store_failed'
  /** A hash or tag was made anew, or could not be; the next verification tries again. */
  | 'renewed'
  | 'renewal_failed';

/** A presented key, before anything is proved of it. */
export interface Candidate {
  readonly key: string;
  readonly digest: Buffer;
  readonly address: string;
}

/** That the presented key is the one of this hash, and how long that has been known. */
export interface Proof {
  readonly by: 'store' | 'argon2';
  readonly hash: string;
  readonly ageMs: number;
}

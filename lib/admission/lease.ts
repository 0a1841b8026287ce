/** An admitted request: Redis said yes, and knows its admission id. */
export interface Lease {
  readonly admissionId: string;
  /** Redis's clock, milliseconds since 1970: the time that every later row of this request carries. */
  readonly admittedAtMs: number;
  /** What is sent as `options.num_predict`; null for embeddings, which generate nothing. */
  readonly numPredict: number | null;
}

/** One burst of requests against one server, as it is sent to the load process. */
export interface LoadPlan {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly connections: number;
  readonly durationMs: number;
  /** At its start, without being measured: connections open, code gets hot. */
  readonly warmUpMs: number;
  /** Lines that every answer must have. */
  readonly lines: number;
}

/** What came of it. Latencies are of the measured part, requests and CPU of the whole. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Of whole answers. */
  readonly latencyMs: Latency;
  /** Of the first byte of the body. */
  readonly firstByteMs: Latency;
  /** The first answer that was not as expected; null if all were. */
  readonly fault: string | null;
}

export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

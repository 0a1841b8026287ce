import type { Breaker, Pass } from './breaker.ts';
import type { UpstreamConnections } from './connections.ts';

/** One server of OLLAMA_URL, as one worker knows it. */
export interface Upstream {
  readonly connections: UpstreamConnections;
  readonly breaker: Breaker;
  /** Of all its replies so far: some stream of it moves as long as they become more. */
  chunks: number;
}

/** An upstream that lets one request pass. */
export interface Entered {
  readonly upstream: Upstream;
  /** To be judged by whoever makes the request. */
  readonly pass: Pass;
}

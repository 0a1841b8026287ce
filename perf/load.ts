import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { systemClock } from '../lib/time/clock.ts';
import type { Latency, LoadPlan, LoadResult } from './load-plan.ts';

const NEWLINE = 10;

/** Keeps every connection busy with one request after another for the planned time. */
export async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: plan.connections });
  const run = new Run(plan, agent);
  await Promise.all(Array.from({ length: plan.connections }, () => run.keepBusy()));
  agent.destroy();
  return run.toResult();
}

class Run {
  readonly #plan: LoadPlan;
  readonly #agent: Agent;
  readonly #startedMs = systemClock.monotonicMs();
  readonly #latencies: number[] = [];
  readonly #firstBytes: number[] = [];
  #requests = 0;
  #fault: string | null = null;

  constructor(plan: LoadPlan, agent: Agent) {
    this.#plan = plan;
    this.#agent = agent;
  }

  async keepBusy(): Promise<void> {
    while (this.#fault === null && this.#elapsedMs() < this.#plan.durationMs) {
      await this.#ask().catch((error: unknown) => {
        this.#fault ??= String(error);
      });
    }
  }

  toResult(): LoadResult {
    return {
      requests: this.#requests,
      seconds: this.#elapsedMs() / 1_000,
      latencyMs: summarise(this.#latencies),
      firstByteMs: summarise(this.#firstBytes),
      fault: this.#fault,
    };
  }

  #elapsedMs(): number {
    return systemClock.monotonicMs() - this.#startedMs;
  }

  #ask(): Promise<void> {
    const { url, headers, body } = this.#plan;
    const length = Buffer.byteLength(body);
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const sentMs = systemClock.monotonicMs();
    const options = { method: 'POST', agent: this.#agent };
    const outgoing = request(url, {
      ...options,
      headers: { ...headers, 'content-type': 'application/json', 'content-length': length },
    });
    outgoing.on('response', (response) => {
      this.#read(response, sentMs).then(() => {
        resolve(undefined);
      }, reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
    return promise;
  }

  async #read(response: IncomingMessage, sentMs: number): Promise<void> {
    let firstMs = 0;
    let lines = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      if (firstMs === 0) firstMs = systemClock.monotonicMs() - sentMs;
      lines += countLines(chunk);
    }
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
    if (lines < this.#plan.lines) throw new Error(`${lines} lines of ${this.#plan.lines}`);
    this.#requests += 1;
    if (this.#elapsedMs() < this.#plan.warmUpMs) return;
    this.#firstBytes.push(firstMs);
    this.#latencies.push(systemClock.monotonicMs() - sentMs);
  }
}

function countLines(chunk: Buffer): number {
  let lines = 0;
  for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}

function summarise(values: readonly number[]): Latency {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

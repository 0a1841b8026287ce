import type { Settings } from '../config/settings.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { rebuildShow } from '../ollama/requests/show.ts';
import type { ThreadPool } from '../threads/thread-pool.ts';
import { BodyMemory } from './body-memory.ts';
import { toCall } from './body-task.ts';
import type { BodyOutcome, BodyTask } from './body-task.ts';
import type { Call } from './call.ts';
import type { Exchange } from './exchange.ts';
import { readBody } from './read-body.ts';
import type { BodyLimits } from './read-body.ts';
import { rebuildCall } from './rebuild-call.ts';
import type { InferenceRoute } from './routes.ts';

export interface CallReaderParts {
  readonly settings: Pick<
    Settings,
    'maxBodyBytes' | 'bodyMemoryBytes' | 'bodyThreadBytes' | 'bodyTimeoutSeconds'
  >;
  /** Threads whose entry is workers/bodies.ts. */
  readonly pool: Pick<ThreadPool, 'run'>;
}

/** The second half of step 1: bodies of inference routes and of /api/show. One a worker. */
export class CallReader {
  readonly #pool: Pick<ThreadPool, 'run'>;
  readonly #memory: BodyMemory;
  readonly #threadBytes: number;
  readonly #limits: BodyLimits;

  constructor({ settings, pool }: CallReaderParts) {
    this.#pool = pool;
    this.#memory = new BodyMemory(settings.bodyMemoryBytes);
    this.#threadBytes = settings.bodyThreadBytes;
    const bodyTimeoutMs = settings.bodyTimeoutSeconds * 1_000;
    this.#limits = { maxBodyBytes: settings.maxBodyBytes, bodyTimeoutMs };
  }

  /** Bytes of bodies that are being read now. */
  get heldBytes(): number {
    return this.#memory.heldBytes;
  }

  /** @throws GatewayError for what SPEC §2.1 refuses; `overloaded` if the pool cannot take it */
  async readCall(exchange: Exchange, route: InferenceRoute): Promise<Call> {
    const body = await readBody(exchange, this.#limits, this.#memory);
    try {
      if (body.bytes.length <= this.#threadBytes) return rebuildCall(route, body.bytes);
      return toCall(await this.#runOnThread({ route, bytes: body.bytes }));
    } finally {
      body.release();
    }
  }

  /** The model that /api/show asks for. A body worth a thread is none of its. @throws GatewayError */
  async readShow(exchange: Exchange): Promise<{ readonly model: string }> {
    const maxBodyBytes = Math.min(this.#limits.maxBodyBytes, this.#threadBytes);
    const body = await readBody(exchange, { ...this.#limits, maxBodyBytes }, this.#memory);
    try {
      return rebuildShow(body.bytes);
    } finally {
      body.release();
    }
  }

  async #runOnThread(task: BodyTask): Promise<BodyOutcome> {
    const { buffer, byteLength } = task.bytes;
    const whole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
    try {
      return await this.#pool.run<BodyOutcome>(task, whole ? [buffer] : []);
    } catch {
      // The queue is full, or the thread died of this body or of another one (DESIGN §2).
      throw new GatewayError('overloaded', 'Too many large requests at once; try again', {
        retryAfterMs: 1_000,
      });
    }
  }
}

import type { Settings } from '../config/settings.ts';
import { ByteBudget } from '../memory/byte-budget.ts';
import { rebuildShow } from '../ollama/requests/show.ts';
import { PoolFullError, TaskTimeoutError } from '../threads/thread-pool.ts';
import type { ThreadPool } from '../threads/thread-pool.ts';
import type { Clock } from '../time/clock.ts';
import { tooManyBodies } from './body-faults.ts';
import { joinPieces, toCall } from './body-task.ts';
import type { BodyOutcome, BodyTask } from './body-task.ts';
import type { Call, RebuiltCall } from './call.ts';
import type { Exchange } from './exchange.ts';
import { HeldBytes } from './held-bytes.ts';
import { readBody } from './read-body.ts';
import type { Body, BodyLimits } from './read-body.ts';
import { rebuildCall } from './rebuild-call.ts';
import type { BodyForm } from './rebuild-call.ts';
import { Reservation } from './reservation.ts';
import type { InferenceRoute } from './routes.ts';

export interface CallReaderParts {
  readonly settings: Pick<
    Settings,
    'maxBodyBytes' | 'bodyMemoryBytes' | 'bodyThreadBytes' | 'bodyTimeoutSeconds'
  >;
  /** Threads whose entry is workers/bodies.ts. */
  readonly pool: Pick<ThreadPool, 'run'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** The second half of step 1: bodies of inference routes and of /api/show. One a worker. */
export class CallReader {
  readonly #pool: Pick<ThreadPool, 'run'>;
  readonly #clock: CallReaderParts['clock'];
  /** What all bodies may hold together (SPEC §2.1: NZGW_BODY_MEMORY_BYTES). */
  readonly #memory: ByteBudget;
  readonly #threadBytes: number;
  readonly #limits: BodyLimits;

  constructor({ settings, pool, clock }: CallReaderParts) {
    this.#pool = pool;
    this.#clock = clock;
    this.#memory = new ByteBudget(settings.bodyMemoryBytes, settings.maxBodyBytes);
    this.#threadBytes = settings.bodyThreadBytes;
    const bodyTimeoutMs = settings.bodyTimeoutSeconds * 1_000;
    this.#limits = { maxBodyBytes: settings.maxBodyBytes, bodyTimeoutMs };
  }

  /** Bytes of bodies that are being read now, or wait to be sent on. */
  get heldBytes(): number {
    return this.#memory.heldBytes;
  }

  /**
   * `ownerId`: whose share of the memory the body is part of. Its bytes are counted until they are
   * dropped, or the exchange closed.
   * @throws GatewayError for what SPEC §2.1 refuses; `overloaded` if memory or pool cannot take it
   */
  async readCall(exchange: Exchange, route: InferenceRoute, ownerId: string): Promise<Call> {
    const reservation = new Reservation(this.#memory, ownerId);
    const release = (): void => {
      reservation.release();
    };
    try {
      const startedAtMs = this.#clock.monotonicMs();
      const body = await readBody(exchange, this.#limits, reservation);
      const bodyWaitMs = this.#clock.monotonicMs() - startedAtMs;
      const call = await this.#rebuild({ route, dialect: exchange.dialect }, body);
      const members = new HeldBytes(call.members, reservation, countRest(call));
      void exchange.closed.then(release);
      return { ...call, members, bodyWaitMs };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** The model that /api/show asks for. A body worth a thread is none of its. @throws GatewayError */
  async readShow(exchange: Exchange, ownerId: string): Promise<{ readonly model: string }> {
    const maxBodyBytes = Math.min(this.#limits.maxBodyBytes, this.#threadBytes);
    const reservation = new Reservation(this.#memory, ownerId);
    try {
      const limits = { ...this.#limits, maxBodyBytes };
      const { pieces } = await readBody(exchange, limits, reservation);
      return rebuildShow(joinPieces(pieces));
    } finally {
      reservation.release();
    }
  }

  async #rebuild(form: BodyForm, { length, pieces, owned }: Body): Promise<RebuiltCall> {
    if (length <= this.#threadBytes) return rebuildCall(form, joinPieces(pieces));
    try {
      const task: BodyTask = { form, pieces };
      return toCall(await this.#pool.run<BodyOutcome>(task, owned));
    } catch (error) {
      // What the task itself threw is a refusal or a bug, and comes through as it was.
      if (!(error instanceof PoolFullError) && !hasThreadEnded(error)) throw error;
      throw tooManyBodies(false);
    }
  }
}

/** What clients may make large beside the members: the texts at which to stop, the name. */
function countRest({ options, model }: RebuiltCall): number {
  return JSON.stringify(options).length + model.length;
}

/** The thread died of a body or was ended over it, or the pool is being closed (DESIGN §2). */
function hasThreadEnded(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') return true;
  if (error instanceof TaskTimeoutError || error.name === 'AbortError') return true;
  return /^(worker exited with|Terminating worker)/.test(error.message);
}

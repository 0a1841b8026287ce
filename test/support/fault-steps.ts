import type { Command } from './wire.ts';

/** A step of a protocol, by the command that goes from a client to the store. */
export interface Step {
  /** As `Command.name`: `settle`, `xdel`, `commit`; of SQL any first words, `insert into gateway.x`. */
  readonly command: string;
  /** Counted from 1 since `at` was called, over all connections of the proxy. 1 unless told otherwise. */
  readonly nth?: number;
  /**
   * before: the command has arrived whole and has not been forwarded.
   * after: the reply of the store to it has arrived whole, and not a byte of it has been delivered.
   */
  readonly when: 'before' | 'after';
  /** Which of them count, by `Command.args`. */
  readonly filter?: (args: readonly string[]) => boolean;
}

/** The connection at that step. Nothing behind it moves in that direction. The first word counts. */
export interface HeldStep {
  readonly command: string;
  readonly args: readonly string[];
  /** Lets it go on, though the client may be gone by now. */
  readonly pass: () => void;
  /** What is held never arrives; the client's connection is reset, the store's is closed. */
  readonly cut: () => void;
}

/** What is done at the step. When it has ended without a word to the handle, the step passes. */
export type FaultAct = (held: HeldStep) => void | Promise<void>;

export interface HitStep {
  /** Never rejects. */
  act(held: HeldStep): Promise<void>;
}

/** A command and the steps that wait for it. */
export interface Meeting {
  readonly before: readonly HitStep[];
  readonly after: readonly HitStep[];
  /** The store did not know it: it does not count. */
  forget(): void;
  /** No reply will come to it. */
  lose(): void;
}

interface Watch {
  readonly step: Step;
  readonly act: FaultAct;
  readonly timer: NodeJS.Timeout;
  readonly done: PromiseWithResolvers<undefined>;
  count: number;
  /** The command whose reply is waited for. */
  chosen: Command | undefined;
}

const WITHIN_MS = 10_000;

/** The steps that a proxy waits for. */
export class FaultSteps {
  readonly #waiting = new Set<Watch>();

  /** See `FaultProxy.at`. */
  at(step: Step, act: FaultAct, withinMs: number = WITHIN_MS): Promise<void> {
    const done = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => {
      const seen = `${watch.count} of ${step.nth ?? 1} seen`;
      const error = `waited ${withinMs} ms in vain for ${step.when} ${step.command}, ${seen}`;
      this.#reject(watch, new Error(error));
    }, withinMs).unref();
    const watch: Watch = { step, act, timer, done, count: 0, chosen: undefined };
    this.#waiting.add(watch);
    // Whoever does not look at it any longer has failed by itself.
    done.promise.catch(() => undefined);
    return done.promise;
  }

  /** Counts a command that has arrived. */
  meet(command: Command): Meeting {
    const counted = [...this.#waiting].filter((watch) => counts(watch, command));
    for (const watch of counted) {
      watch.count += 1;
      if (watch.count === (watch.step.nth ?? 1)) watch.chosen = command;
    }
    const chosen = counted.filter((watch) => watch.chosen === command);
    const takeBack = (watches: readonly Watch[]): void => {
      for (const watch of watches.filter((one) => this.#waiting.has(one))) {
        watch.count -= 1;
        if (watch.chosen === command) watch.chosen = undefined;
      }
    };
    return {
      before: chosen.filter(({ step }) => step.when === 'before').map((one) => this.#toHit(one)),
      after: chosen.filter(({ step }) => step.when === 'after').map((one) => this.#toHit(one)),
      forget: () => {
        takeBack(counted);
      },
      lose: () => {
        takeBack(counted.filter(({ step }) => step.when === 'after'));
      },
    };
  }

  /** Nothing can be hit any more. */
  fail(error: Error): void {
    for (const watch of this.#waiting) this.#reject(watch, error);
  }

  #toHit(watch: Watch): HitStep {
    return {
      act: async (held) => {
        if (!this.#end(watch)) return;
        try {
          await watch.act(held);
          watch.done.resolve(undefined);
        } catch (error) {
          watch.done.reject(error);
        }
      },
    };
  }

  #reject(watch: Watch, error: Error): void {
    if (this.#end(watch)) watch.done.reject(error);
  }

  #end(watch: Watch): boolean {
    clearTimeout(watch.timer);
    return this.#waiting.delete(watch);
  }
}

function counts({ step, chosen }: Watch, { name, args }: Command): boolean {
  if (chosen !== undefined || !name.startsWith(step.command)) return false;
  const wholeWord = !/[\w-]/.test(name.charAt(step.command.length));
  return wholeWord && (step.filter?.(args) ?? true);
}

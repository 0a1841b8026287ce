import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../lib/time/clock.ts';
import type { FaultSteps, HitStep, Meeting } from './fault-steps.ts';
import { FrameLane } from './frame-lane.ts';
import type { Command, ReplyPart, Wire } from './wire.ts';

export interface PairParts {
  readonly client: Socket;
  readonly store: Socket;
  readonly wire: Wire;
  readonly steps: FaultSteps;
  /** By how much replies are late that arrive now. */
  readonly readDelayMs: () => number;
  /** Both sides are closed. */
  readonly onGone: (pair: ProxiedPair) => void;
}

/**
 * A client's connection and the store's behind it. A client that is gone takes nothing with it: what
 * it had sent whole still goes to the store, as it would from the buffers of a network.
 */
export class ProxiedPair {
  readonly #parts: PairParts;
  readonly #toStore = new FrameLane();
  readonly #toClient = new FrameLane();
  /** Commands that the store has and has not answered. */
  readonly #unanswered: (Meeting & { readonly command: Command })[] = [];
  /** What has come of a reply that somebody waits for. */
  #collected: Buffer[] = [];
  #stopped = false;
  #openSides = 2;

  constructor(parts: PairParts) {
    this.#parts = parts;
    const { client, store, wire } = parts;
    client.on('error', () => undefined);
    store.on('error', () => undefined);
    client.on('data', (chunk: Buffer) => {
      const commands = this.#read(() => wire.readCommands(chunk));
      for (const command of commands) this.#toStore.push(() => this.#forward(command));
    });
    store.on('data', (chunk: Buffer) => {
      const dueMs = systemClock.monotonicMs() + parts.readDelayMs();
      for (const part of this.#read(() => wire.readReplies(chunk))) this.#answer(part, dueMs);
    });
    client.on('close', () => {
      this.#toStore.push(() => void store.end());
      this.#countClosed();
    });
    store.on('close', () => {
      for (const meeting of this.#unanswered) meeting.lose();
      this.#toClient.push(() => {
        this.#deliver(this.#collected);
        client.end();
        return undefined;
      });
      this.#countClosed();
    });
  }

  /** Not a byte moves any more; the connections stay. */
  freeze(): void {
    this.#stopped = true;
    this.#parts.client.pause();
    this.#parts.store.pause();
  }

  cut(): void {
    this.#stopped = true;
    this.#parts.client.resetAndDestroy();
    this.#parts.store.destroy();
  }

  /** What cannot be read cannot be hit: better no test than one that proves nothing. */
  #read<T>(read: () => readonly T[]): readonly T[] {
    try {
      return read();
    } catch (error) {
      this.#parts.steps.fail(error instanceof Error ? error : new Error(String(error)));
      this.cut();
      return [];
    }
  }

  #forward(command: Command): Promise<void> | undefined {
    const meeting = this.#parts.steps.meet(command);
    const { before } = meeting;
    if (before.length > 0) {
      return this.#hold(before, command).then(() => {
        this.#send(command, meeting);
      });
    }
    this.#send(command, meeting);
    return undefined;
  }

  #send(command: Command, meeting: Meeting): void {
    if (this.#stopped || !this.#parts.store.writable) {
      meeting.lose();
      return;
    }
    if (command.answered) this.#unanswered.push({ ...meeting, command });
    this.#parts.store.write(command.bytes);
  }

  #answer(part: ReplyPart, dueMs: number): void {
    const oldest = part.endsReply ? this.#unanswered.shift() : this.#unanswered[0];
    if (part.unknownScript) oldest?.forget();
    if (oldest === undefined || oldest.after.length === 0 || part.unknownScript) {
      this.#pushReply([part.bytes], dueMs);
      return;
    }
    this.#collected.push(part.bytes);
    if (!part.urgent && !part.endsReply) return;
    const bytes = this.#collected;
    this.#collected = [];
    this.#pushReply(bytes, dueMs, part.endsReply ? oldest : undefined);
  }

  #pushReply(
    parts: readonly Buffer[],
    dueMs: number,
    held?: { readonly after: readonly HitStep[]; readonly command: Command },
  ): void {
    this.#toClient.push(() => waitUntil(dueMs));
    if (held !== undefined) this.#toClient.push(() => this.#hold(held.after, held.command));
    this.#toClient.push(() => {
      this.#deliver(parts);
      return undefined;
    });
  }

  /** Resolves when all of them have let it pass, or it was cut. */
  async #hold(hits: readonly HitStep[], { name, args }: Command): Promise<void> {
    for (const hit of hits) {
      const released = Promise.withResolvers<undefined>();
      const pass = (): void => {
        released.resolve(undefined);
      };
      const cut = (): void => {
        this.cut();
        pass();
      };
      void hit.act({ command: name, args, pass, cut }).then(pass);
      await released.promise;
    }
  }

  #deliver(parts: readonly Buffer[]): void {
    const { client } = this.#parts;
    if (this.#stopped || !client.writable) return;
    for (const bytes of parts) client.write(bytes);
  }

  #countClosed(): void {
    this.#openSides -= 1;
    if (this.#openSides === 0) this.#parts.onGone(this);
  }
}

function waitUntil(dueMs: number): Promise<void> | undefined {
  const leftMs = dueMs - systemClock.monotonicMs();
  return leftMs > 0 ? wait(leftMs, undefined, { ref: false }) : undefined;
}

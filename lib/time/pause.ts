/** A wait that can be cut short. One waiter. */
export interface Pause {
  /** Resolves after so many milliseconds, or at a wake, or at once if woken since the last wait. */
  wait(ms: number): Promise<void>;
  wake(): void;
}

export function makePause(): Pause {
  let woken = false;
  let end: () => void = () => undefined;

  return {
    async wait(ms) {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      end = () => {
        resolve(undefined);
      };
      const timer = setTimeout(end, ms);
      if (woken) end();
      await promise;
      clearTimeout(timer);
      woken = false;
    },
    wake() {
      woken = true;
      end();
    },
  };
}

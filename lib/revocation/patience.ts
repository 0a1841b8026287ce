/** For how long answers are waited for where nobody can know how long they take. */
export interface Patience {
  /** Acts with the time that each answer may take now; the next time with more, if that failed. */
  spend<T>(act: (withinMs: number) => Promise<T>): Promise<T>;
}

/** Twice as long after each failure, up to `mostMs`; as at the beginning after a success. */
export function makePatience(firstMs: number, mostMs: number): Patience {
  let withinMs = firstMs;

  return {
    async spend(act) {
      try {
        const done = await act(withinMs);
        withinMs = firstMs;
        return done;
      } catch (error) {
        withinMs = Math.min(withinMs * 2, mostMs);
        throw error;
      }
    },
  };
}

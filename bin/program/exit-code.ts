/** What the process ends with (SPEC §13). The numbers are public. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  notPermitted: 4,
  conflict: 5,
  unreachable: 6,
  notConfirmed: 7,
  checkFailed: 8,
  /** Of `serve` alone: its workers die as soon as they start (EX_SOFTWARE). */
  crashed: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Of several reasons to end the process the worst is told: a bug after a drain began is still one. */
export function raiseExitCode(exitCode: number): void {
  process.exitCode = Math.max(Number(process.exitCode ?? 0), exitCode);
}

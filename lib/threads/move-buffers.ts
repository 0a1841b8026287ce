import { move, transferableSymbol, valueSymbol } from 'piscina';

/**
 * A task's result whose buffers move to the caller: a copy of many MiB would stop the thread that
 * streams. To be returned by the task as it is; the caller gets `result`.
 */
export function moveBuffers(result: object, buffers: readonly ArrayBuffer[]): unknown {
  return move({ [transferableSymbol]: buffers, [valueSymbol]: result });
}

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { makeCells } from './cells.ts';
import type { Reading } from './cells.ts';

export interface ProcessMetrics {
  /** Of the time since the last call; to be called every second. */
  take(): Reading[];
  stop(): void;
}

/** The delay is measured by a native timer of so many milliseconds: fifty wake-ups a second. */
const RESOLUTION_MS = 20;
const NS_PER_SECOND = 1e9;
const US_PER_SECOND = 1e6;

/** What a process is to its machine: delay of its loop, processor time, memory. Nothing of it is measured by a request. */
export function makeProcessMetrics(kind: 'worker' | 'primary'): ProcessMetrics {
  const cells = makeCells();
  const delays = cells.histogram('gateway_event_loop_delay_seconds', [kind]);
  const cpu = cells.counter('gateway_cpu_seconds_total', [kind]);
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  loop.enable();
  let before = process.cpuUsage();

  return {
    take() {
      // What is measured is the time between two ticks of the timer; without any there is none.
      if (loop.count > 0)
        delays.observe(Math.max(0, loop.max / NS_PER_SECOND - RESOLUTION_MS / 1_000));
      loop.reset();
      const now = process.cpuUsage();
      cpu.inc((now.user + now.system - before.user - before.system) / US_PER_SECOND);
      before = now;
      return [
        ...cells.take(),
        ['gateway_resident_memory_bytes', [kind], [process.memoryUsage.rss()]],
      ];
    },
    stop() {
      loop.disable();
    },
  };
}

import type { Reading } from '../metrics/cells.ts';
import { makeProcessMetrics } from '../metrics/process-metrics.ts';
import type { WorkerMetrics } from '../metrics/worker-metrics.ts';
import { inTime } from '../time/in-time.ts';
import { tellPrimary, tellPrimaryWhole } from './tell-primary.ts';

export interface WorkerReportsParts {
  readonly metrics: Pick<WorkerMetrics, 'take'>;
  readonly readLevels: () => readonly Reading[];
}

export interface WorkerReports {
  /** Says the last of it; resolves when that has left, or after a moment. */
  stop(): Promise<void>;
}

const REPORT_EVERY_MS = 1_000;
/** Some milliseconds of work here and in the primary. Where more have changed the rest comes later. */
const MOST_SERIES = 2_000;
/** For what is left at the end; a channel that takes nothing is waited for no longer. */
const LAST_WORDS_MS = 500;

/** Tells the primary every second what this worker counted; that is also the sign that it lives. */
export function startReports({ metrics, readLevels }: WorkerReportsParts): WorkerReports {
  const ownProcess = makeProcessMetrics('worker');
  const timer = setInterval(() => {
    const readings = [...metrics.take(MOST_SERIES), ...ownProcess.take(), ...readLevels()];
    tellPrimary({ type: 'metrics', readings });
  }, REPORT_EVERY_MS);

  async function sayRest(): Promise<void> {
    await tellPrimaryWhole({ type: 'metrics', readings: [...ownProcess.take(), ...readLevels()] });
    for (;;) {
      const readings = metrics.take(MOST_SERIES);
      if (readings.length === 0) return;
      await tellPrimaryWhole({ type: 'metrics', readings });
    }
  }

  return {
    async stop() {
      clearInterval(timer);
      await inTime(LAST_WORDS_MS, sayRest(), () => undefined);
      ownProcess.stop();
    },
  };
}

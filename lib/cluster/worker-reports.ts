import type { Reading } from '../metrics/cells.ts';
import { makeProcessMetrics } from '../metrics/process-metrics.ts';
import type { WorkerMetrics } from '../metrics/worker-metrics.ts';
import { tellPrimary } from './tell-primary.ts';

export interface WorkerReportsParts {
  readonly metrics: Pick<WorkerMetrics, 'take'>;
  readonly readLevels: () => readonly Reading[];
}

export interface WorkerReports {
  /** Says the last of it. */
  stop(): void;
}

const REPORT_EVERY_MS = 1_000;
/** Some milliseconds of work here and in the primary. Where more have changed the rest comes later. */
const MOST_SERIES = 2_000;

/** Tells the primary every second what this worker counted; that is also the sign that it lives. */
export function startReports({ metrics, readLevels }: WorkerReportsParts): WorkerReports {
  const ownProcess = makeProcessMetrics('worker');
  const report = (most?: number): void => {
    const readings = [...metrics.take(most), ...ownProcess.take(), ...readLevels()];
    tellPrimary({ type: 'metrics', readings });
  };
  const timer = setInterval(() => {
    report(MOST_SERIES);
  }, REPORT_EVERY_MS);
  return {
    stop() {
      clearInterval(timer);
      report();
      ownProcess.stop();
    },
  };
}

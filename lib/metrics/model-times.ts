import type { Cells, HistogramCell } from './cells.ts';

/** When a reply began and how it went on, as its entry has it. */
export interface ServedTimes {
  /** From the head of the request; null where nothing came. */
  readonly firstTokenMs: number | null;
  readonly durationMs: number;
  readonly completionTokens: number;
}

interface ModelCells {
  readonly firstToken: HistogramCell;
  readonly perToken: HistogramCell;
}

export interface ModelTimes {
  observe(model: string, times: ServedTimes): void;
}

/** How fast each model answers. No tenant is told apart: that would be a series for each pair. */
export function makeModelTimes(cells: Pick<Cells, 'histogram'>): ModelTimes {
  const models = new Map<string, ModelCells>();
  const find = (model: string): ModelCells => {
    let known = models.get(model);
    if (known === undefined) {
      known = {
        firstToken: cells.histogram('gateway_time_to_first_token_seconds', [model]),
        perToken: cells.histogram('gateway_time_per_output_token_seconds', [model]),
      };
      models.set(model, known);
    }
    return known;
  };

  return {
    observe(model, { firstTokenMs, durationMs, completionTokens }) {
      if (firstTokenMs === null) return;
      const { firstToken, perToken } = find(model);
      firstToken.observe(firstTokenMs / 1_000);
      if (completionTokens < 2) return;
      perToken.observe((durationMs - firstTokenMs) / 1_000 / (completionTokens - 1));
    },
  };
}

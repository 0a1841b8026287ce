import { Counter, Registry } from 'prom-client';
import { LabelSet } from './label-set.ts';

export interface WorkerMetrics {
  /** One finished request. */
  countRequest(tenant: string | undefined, model: string | undefined, status: number): void;
  /** One refusal that no audit row will tell of: the ring before Redis was full. */
  countDroppedRefusal(): void;
  /** One event of authentication, by its name; names come from our own code. */
  countAuth(result: string): void;
  /** Everything this worker has counted, as the primary adds it up. */
  snapshot(): Promise<readonly unknown[]>;
}

/** The registry of one worker. Labels come from closed sets: no client can make a series. */
export function makeWorkerMetrics(most: { tenants: number; models: number }): WorkerMetrics {
  const registry = new Registry();
  const tenants = new LabelSet(most.tenants);
  const models = new LabelSet(most.models);
  const requests = new Counter({
    name: 'gateway_requests_total',
    help: 'Finished requests.',
    labelNames: ['tenant', 'model', 'status'] as const,
    registers: [registry],
  });

  const droppedRefusals = new Counter({
    name: 'gateway_refusals_dropped_total',
    help: 'Refusals that were not kept for the audit log.',
    registers: [registry],
  });

  const authResults = new Counter({
    name: 'gateway_auth_results_total',
    help: 'How API keys were proved, and what failed beside it.',
    labelNames: ['result'] as const,
    registers: [registry],
  });

  return {
    countDroppedRefusal() {
      droppedRefusals.inc(1);
    },
    countRequest(tenant, model, status) {
      requests.inc({ tenant: tenants.name(tenant), model: models.name(model), status }, 1);
    },
    countAuth(result) {
      authResults.inc({ result }, 1);
    },
    snapshot: () => registry.getMetricsAsJSON(),
  };
}

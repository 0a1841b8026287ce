/** Whether a number only grows, is one of many measurements, or stands at a level. */
export type MetricKind = 'counter' | 'histogram' | 'gauge';

/** What one metric is; how the levels of several processes become one. */
export interface MetricDefinition {
  readonly kind: MetricKind;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram, rising; +Inf comes by itself. */
  readonly buckets?: readonly number[];
  /** Of levels; absent: they are added up. */
  readonly join?: 'max';
}

/** A model may have to be loaded first: tens of seconds. */
const WAIT_SECONDS = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4];
/** As OpenTelemetry has them for GenAI. */
const TOKEN_SECONDS = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];
const REQUEST_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640];
const OWN_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
const DELAY_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/**
 * All that the processes of a gateway tell their primary (SPEC §12); the one place where a name, its
 * labels and its buckets stand. What the primary alone knows is in primary-metrics.ts.
 */
export const FLEET_METRICS = {
  gateway_requests_total: {
    kind: 'counter',
    help: 'Finished requests, by the HTTP status that was sent; 499: the client left before.',
    labels: ['tenant', 'model', 'status'],
  },
  gateway_tokens_total: {
    kind: 'counter',
    help: 'Tokens of admitted requests, as the upstream reported them or as they were estimated.',
    labels: ['tenant', 'model', 'direction'],
  },
  gateway_request_duration_seconds: {
    kind: 'histogram',
    help: 'From the head of a request to the close of its reply, refused ones included.',
    labels: ['tenant', 'model'],
    buckets: REQUEST_SECONDS,
  },
  gateway_time_to_first_token_seconds: {
    kind: 'histogram',
    help: 'From the head of a request to the first byte of the upstream’s reply.',
    labels: ['model'],
    buckets: WAIT_SECONDS,
  },
  gateway_time_per_output_token_seconds: {
    kind: 'histogram',
    help: 'Mean time between two output tokens of one reply, after the first.',
    labels: ['model'],
    buckets: TOKEN_SECONDS,
  },
  gateway_overhead_seconds: {
    kind: 'histogram',
    help: 'What the gateway adds before an admitted request goes upstream: without the wait for its body.',
    labels: [],
    buckets: OWN_SECONDS,
  },
  gateway_refusals_total: {
    kind: 'counter',
    help: 'Requests that ended with an error of the gateway, by its code.',
    labels: ['code'],
  },
  gateway_outcomes_total: {
    kind: 'counter',
    help: 'Admitted requests by how they ended: what breaks after the head has the status 200.',
    labels: ['outcome'],
  },
  gateway_broken_replies_total: {
    kind: 'counter',
    help: 'Replies that the upstream broke off after their head had left: their status is 200.',
    labels: [],
  },
  gateway_refusals_dropped_total: {
    kind: 'counter',
    help: 'Refusals that were not kept for the audit log.',
    labels: [],
  },
  gateway_prompts_dropped_total: {
    kind: 'counter',
    help: 'Entries of the prompt log that were not kept: no room, no secret, or Postgres away at the end.',
    labels: ['reason'],
  },
  gateway_auth_results_total: {
    kind: 'counter',
    help: 'How API keys were proved or refused, and what failed beside it.',
    labels: ['result'],
  },
  gateway_redis_script_seconds: {
    kind: 'histogram',
    help: 'From sending a script to Redis to its answer or its failure.',
    labels: ['script'],
    buckets: OWN_SECONDS,
  },
  gateway_event_loop_delay_seconds: {
    kind: 'histogram',
    help: 'The longest delay of an event loop in each second, by the kind of process.',
    labels: ['process'],
    buckets: DELAY_SECONDS,
  },
  gateway_cpu_seconds_total: {
    kind: 'counter',
    help: 'Processor time, user and system, by the kind of process.',
    labels: ['process'],
  },
  gateway_resident_memory_bytes: {
    kind: 'gauge',
    help: 'Resident memory, by the kind of process; what processes share counts in each.',
    labels: ['process'],
  },
  gateway_inflight_requests: {
    kind: 'gauge',
    help: 'Admitted requests that have not ended.',
    labels: [],
  },
  gateway_upstream_inflight_requests: {
    kind: 'gauge',
    help: 'Requests that an upstream works for.',
    labels: ['upstream'],
  },
  gateway_breaker_state: {
    kind: 'gauge',
    help: 'Workers whose breaker of an upstream is in that state.',
    labels: ['upstream', 'state'],
  },
  gateway_argon2_queue_length: {
    kind: 'gauge',
    help: 'Verifications of keys that wait for a thread.',
    labels: [],
  },
  gateway_argon2_queue_fill_ratio: {
    kind: 'gauge',
    help: 'How full the queue of the worker is that has the fullest; at 1 it refuses.',
    labels: [],
    join: 'max',
  },
  gateway_body_queue_length: {
    kind: 'gauge',
    help: 'Large bodies and replies that wait for a thread.',
    labels: [],
  },
  gateway_settlement_ring_entries: {
    kind: 'gauge',
    help: 'Settlements and cancellations that wait for Redis, and those that it took and could still forget.',
    labels: ['state'],
  },
  gateway_settlement_ring_fill_ratio: {
    kind: 'gauge',
    help: 'Settlements that wait for Redis in the worker that has most, of those that may; at 1 it admits nobody.',
    labels: [],
    join: 'max',
  },
  gateway_refusal_ring_fill_ratio: {
    kind: 'gauge',
    help: 'How full the ring of refusals of the worker is that has the fullest; at 1 it drops them.',
    labels: [],
    join: 'max',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type FleetMetric = keyof typeof FLEET_METRICS;

/** The names of the metrics of one kind. */
export type FleetMetricOf<Kind extends MetricKind> = {
  [Name in FleetMetric]: (typeof FLEET_METRICS)[Name]['kind'] extends Kind ? Name : never;
}[FleetMetric];

/** What a gateway of now tells in a scrape, as far as `nzgw top` reads it. */
export interface Told {
  readonly requests?: number;
  readonly completion?: number;
  /** Cumulative, below 0.1 s, 1 s and in all. */
  readonly durations?: readonly [number, number, number];
}

/** The text of a scrape, in the gateway's own format. */
export function writeMetrics({
  requests = 0,
  completion = 0,
  durations = [0, 0, 0],
}: Told): string {
  const [tenth, second, all] = durations;
  return `# HELP gateway_requests_total Finished requests.
# TYPE gateway_requests_total counter
gateway_requests_total{tenant="acme",model="llama3:latest",status="200"} ${requests}
gateway_requests_total{tenant="beta",model="qwen3:8b",status="429"} 7
gateway_requests_total{tenant="none",model="none",status="401"} 1
# HELP gateway_tokens_total Tokens.
# TYPE gateway_tokens_total counter
gateway_tokens_total{tenant="acme",model="llama3:latest",direction="prompt"} 100
gateway_tokens_total{tenant="acme",model="llama3:latest",direction="completion"} ${completion}
# TYPE gateway_request_duration_seconds histogram
gateway_request_duration_seconds_bucket{tenant="acme",model="llama3:latest",le="0.1"} ${tenth}
gateway_request_duration_seconds_bucket{tenant="acme",model="llama3:latest",le="1"} ${second}
gateway_request_duration_seconds_bucket{tenant="acme",model="llama3:latest",le="+Inf"} ${all}
gateway_request_duration_seconds_sum{tenant="acme",model="llama3:latest"} 12.5
gateway_request_duration_seconds_count{tenant="acme",model="llama3:latest"} ${all}
# TYPE gateway_refusals_total counter
gateway_refusals_total{code="invalid_key"} 1
gateway_refusals_total{code="rate_limited"} 7
gateway_refusals_total{code="overloaded"} 0
# TYPE gateway_inflight_requests gauge
gateway_inflight_requests 5
# TYPE gateway_audit_stream_length gauge
gateway_audit_stream_length{shard="0"} 3
gateway_audit_stream_length{shard="1"} 4
# TYPE gateway_audit_lag_seconds gauge
gateway_audit_lag_seconds{shard="0"} 0.25
gateway_audit_lag_seconds{shard="1"} 1.5
# TYPE gateway_trust_valid gauge
gateway_trust_valid 1
# TYPE gateway_revocation_lag_seconds gauge
gateway_revocation_lag_seconds +Inf
# TYPE gateway_workers gauge
gateway_workers 2
# TYPE gateway_worker_restarts_total counter
gateway_worker_restarts_total 1
# TYPE gateway_build_info gauge
gateway_build_info{version="0.1.0",node="v24.0.0"} 1
# TYPE process_open_fds gauge
process_open_fds 99
`;
}

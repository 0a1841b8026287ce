import type { Grant } from '../access/grant.ts';
import type { Lease } from '../admission/lease.ts';
import type { Principal } from '../auth/principal.ts';
import type { GatewayError } from '../errors/gateway-error.ts';
import type { Call } from '../http/call.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Route } from '../http/routes.ts';
import type { Entry } from '../ledger/entry.ts';
import type { UpstreamReply } from '../upstream/reply.ts';
import type { Tally } from '../upstream/tally.ts';

export type OpenRouteOf = Extract<Route, { kind: 'open' }>;
export type InferenceRouteOf = Extract<Route, { kind: 'inference' }>;
export type OtherRoute = Exclude<Route, { kind: 'open' | 'inference' }>;

/** What became known of a request on its way; filled in order, read after the close. */
export interface Facts {
  route?: Route;
  principal?: Principal;
  call?: Call;
  grant?: Grant;
  lease?: Lease;
  readonly tally: Tally;
  refusal?: GatewayError;
  /** What is kept of it, once it has ended. */
  entry?: Entry | undefined;
}

/** The steps of a request, in their order. Each is a folder; they meet only in pipeline.ts. */
export interface Stages {
  /** 1. Framing and request line. */
  route(exchange: Exchange): Route;
  answerOpen(exchange: Exchange, route: OpenRouteOf): void;
  /** 2. Who calls. */
  authenticate(exchange: Exchange): Promise<Principal>;
  /** Listings; throws for what is blocked or unknown. */
  answerOther(exchange: Exchange, route: OtherRoute, principal: Principal): Promise<void>;
  /** 1, second half: the body, only now. */
  read(exchange: Exchange, route: InferenceRouteOf, principal: Principal): Promise<Call>;
  /** 2, again after the wait for a body: the caller's rows as they are now. */
  confirm(exchange: Exchange, principal: Principal): Promise<Principal>;
  /** 3. May this key use this model. */
  authorise(principal: Principal, call: Call): Grant;
  /** Ollama's load and unload commands, free of charge and without the upstream. */
  answerIdle(exchange: Exchange, principal: Principal, call: Call, grant: Grant): void;
  /** 4. Redis decides. */
  admit(exchange: Exchange, principal: Principal, call: Call, grant: Grant): Promise<Lease>;
  /** 5. To the upstream, until its head has come. */
  forward(exchange: Exchange, facts: AdmittedFacts): Promise<UpstreamReply>;
  /** 6. From the upstream to the client, until either ends. */
  relay(exchange: Exchange, facts: AdmittedFacts, reply: UpstreamReply): Promise<void>;
  /**
   * Tells the client, with what was left of limits where the request was admitted; any unknown error
   * becomes one 500 here. Never throws.
   */
  refuse(exchange: Exchange, error: unknown, facts?: Facts): GatewayError;
  /** 7. Frees and charges what was admitted. Never throws. */
  settle(exchange: Exchange, facts: AdmittedFacts): void;
  /** 8. Keeps the refusal of a known key. Never throws. */
  audit(exchange: Exchange, facts: Facts): void;
  /** The line in the log, the counters. Never throws. */
  observe(exchange: Exchange, facts: Facts): void;
}

/** What is known from the moment of admission on. */
export interface AdmittedFacts extends Facts {
  readonly route: InferenceRouteOf;
  readonly principal: Principal;
  readonly call: Call;
  readonly grant: Grant;
  readonly lease: Lease;
}

/** True from the moment of admission on: there is something to settle. */
export function isAdmitted(facts: Facts): facts is AdmittedFacts {
  return facts.lease !== undefined;
}

import type { Grant } from '../access/grant.ts';
import { canonicalise } from '../access/model-name.ts';
import type { Principal } from '../auth/principal.ts';
import type { Settings } from '../config/settings.ts';
import type { Call } from '../http/call.ts';
import type { Exchange } from '../http/exchange.ts';
import { chooseNumCtx, chooseOptions } from '../upstream/choose-options.ts';
import type { ForwardRequest } from '../upstream/forward.ts';
import { buildUpstreamBody } from '../upstream/request-body.ts';
import { buildUpstreamHeaders } from '../upstream/request-headers.ts';
import type { AdmittedFacts } from './stages.ts';

/** The operator's context length for a model, by canonical name; null where none is set. */
export type ContextLengths = (canonical: string) => number | null;

export function makeContextLengths(
  settings: Pick<Settings, 'numCtx' | 'modelNumCtx'>,
): ContextLengths {
  const own = new Map<string, number>();
  for (const [name, length] of settings.modelNumCtx ?? []) {
    const canonical = canonicalise(name);
    if (canonical !== undefined) own.set(canonical, length);
  }
  return (canonical) => own.get(canonical) ?? settings.numCtx;
}

/**
 * What goes upstream for an admitted request: nothing in it is the client's bytes. The call's members
 * are let go here, the body is when it was sent.
 * @throws GatewayError `overloaded` if the memory for bodies has no room for what we add
 */
export function makeForwardRequest(
  exchange: Exchange,
  facts: AdmittedFacts,
  contextLengths: ContextLengths,
  gone: AbortSignal,
): ForwardRequest {
  const { route, call, grant, lease, tally, principal } = facts;
  const { tenant } = principal;
  const options = chooseOptions(call.options, {
    ...contextRules(principal, grant, contextLengths),
    numPredict: lease.numPredict,
  });
  return {
    path: route.upstreamPath,
    headers: buildUpstreamHeaders(exchange.admissionId, exchange.request.headers['traceparent']),
    body: call.members.become(
      buildUpstreamBody({
        call: { ...call, members: call.members.bytes },
        modelName: grant.model.name,
        options,
        allowRuntimeOptions: tenant.allowRuntimeOptions,
      }),
    ),
    upstreams: grant.upstreams,
    tenantId: tenant.tenantId,
    gone,
    tally,
  };
}

/**
 * The context length that makeForwardRequest sends; null where the model's own counts. The bound of a
 * prompt stands on it.
 */
export function sentNumCtx(
  call: Pick<Call, 'options'>,
  principal: Principal,
  grant: Grant,
  contextLengths: ContextLengths,
): number | null {
  return chooseNumCtx(call.options['num_ctx'], contextRules(principal, grant, contextLengths));
}

function contextRules({ tenant }: Principal, { model }: Grant, contextLengths: ContextLengths) {
  const { allowRuntimeOptions, maxNumCtx } = tenant;
  return { allowRuntimeOptions, maxNumCtx, numCtx: contextLengths(model.key) };
}

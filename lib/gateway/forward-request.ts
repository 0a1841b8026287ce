import { canonicalise } from '../access/model-name.ts';
import type { Settings } from '../config/settings.ts';
import type { Exchange } from '../http/exchange.ts';
import { chooseOptions } from '../upstream/choose-options.ts';
import type { ForwardRequest } from '../upstream/forward.ts';
import { buildUpstreamBody } from '../upstream/request-body.ts';
import { buildUpstreamHeaders } from '../upstream/request-headers.ts';
import type { AdmittedFacts } from './stages.ts';

/** The operator's context length for a model, by canonical name; null where none is set. */
type ContextLengths = (canonical: string) => number | null;

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
    allowRuntimeOptions: tenant.allowRuntimeOptions,
    maxNumCtx: tenant.maxNumCtx,
    numCtx: contextLengths(grant.model.key),
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

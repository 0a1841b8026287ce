import { SuspendedTenantError } from '../auth/refused-key.ts';
import type { Exchange } from '../http/exchange.ts';
import { startTally } from '../upstream/tally.ts';
import { isAdmitted } from './stages.ts';
import type { Facts, Stages } from './stages.ts';

/**
 * The life of a request, in order. Whatever happens on the way, the client gets one answer; and
 * when its connection has closed, what was admitted is settled once and what was refused to a
 * known key is kept.
 */
export async function serve(stages: Stages, exchange: Exchange): Promise<void> {
  const facts: Facts = { tally: startTally() };
  try {
    await answer(stages, exchange, facts);
  } catch (error) {
    if (error instanceof SuspendedTenantError) facts.principal = error.principal;
    facts.refusal = stages.refuse(exchange, error, facts);
  }

  await exchange.closed;
  if (isAdmitted(facts)) stages.settle(exchange, facts);
  else if (facts.principal && facts.refusal) stages.audit(exchange, facts);
  stages.observe(exchange, facts);
}

async function answer(stages: Stages, exchange: Exchange, facts: Facts): Promise<void> {
  const route = (facts.route = stages.route(exchange));
  if (route.kind === 'open') {
    stages.answerOpen(exchange, route);
    return;
  }

  const caller = (facts.principal = await stages.authenticate(exchange));
  if (route.kind !== 'inference') {
    await stages.answerOther(exchange, route, caller);
    return;
  }

  const call = (facts.call = await stages.read(exchange, route, caller));
  const principal = (facts.principal = await stages.confirm(exchange, caller));
  const grant = (facts.grant = stages.authorise(principal, call));
  if (call.idle) {
    stages.answerIdle(exchange, principal, call, grant);
    return;
  }

  const lease = (facts.lease = await stages.admit(exchange, principal, call, grant));
  const admitted = { ...facts, route, principal, call, grant, lease };
  const reply = await stages.forward(exchange, admitted);
  await stages.relay(exchange, admitted, reply);
}

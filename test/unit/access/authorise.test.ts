import { expect } from 'chai';
import { authorise } from '../../../lib/access/authorise.ts';
import type { Access } from '../../../lib/access/authorise.ts';
import type { Holder } from '../../../lib/access/effective-set.ts';
import type { Grant } from '../../../lib/access/grant.ts';
import { openModelLists } from '../../../lib/access/model-list.ts';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';

const LIBRARY = 'registry.ollama.ai/library';

describe('access/authorise', () => {
  it('grants what is discovered and allowed, under any alias, with the upstreams that have it', () => {
    const grant = authorise(
      access(toGrant('llama3', [0, 2])),
      toHolder(['llama3']),
      ' LLaMA3:Latest',
    );
    expect(grant.model.key).to.equal(`${LIBRARY}/llama3:latest`);
    expect(grant.upstreams).to.deep.equal([0, 2]);
  });

  it('says the same of a model that is there, of one that is not and of what is no name', () => {
    const parts = access(toGrant('hidden', [0]));
    const holder = toHolder(['llama3']);
    const refusals = ['hidden', 'nowhere', 'llama3', '', 'llama3:cloud', 'x'.repeat(5_000)].map(
      (name) => catchRefusal(() => authorise(parts, holder, name)),
    );
    for (const refusal of refusals) {
      expect(refusal.code).to.equal('model_not_allowed');
      expect(refusal.status).to.equal(403);
      expect(refusal.message).to.equal(refusals[0]?.message);
      expect(refusal.details).to.deep.equal({ param: 'model' });
    }
  });

  it('refuses everything for now while no snapshot can be trusted', () => {
    const stale: Access = { models: { current: () => undefined }, lists: openModelLists(10) };
    const refusal = catchRefusal(() => authorise(stale, toHolder(['llama3']), 'nowhere'));
    expect(refusal.code).to.equal('models_unavailable');
    expect(refusal.status).to.equal(503);
    expect(refusal.details.retryAfterMs).to.equal(1_000);
  });

  it('takes a silent upstream for a fault, not for a missing right', () => {
    const parts = access(toGrant('llama3', []));
    const refusal = catchRefusal(() => authorise(parts, toHolder(['llama3']), 'llama3'));
    expect(refusal.code).to.equal('models_unavailable');
  });

  it('does not tell who may not use a model that its upstream is silent', () => {
    const parts = access(toGrant('llama3', []));
    const refusal = catchRefusal(() => authorise(parts, toHolder([]), 'llama3'));
    expect(refusal.code).to.equal('model_not_allowed');
  });
});

function access(...grants: readonly Grant[]): Access {
  const byKey = new Map(grants.map((grant) => [grant.model.key, grant]));
  const models = { find: (canonical: string) => byKey.get(canonical) };
  return { models: { current: () => models }, lists: openModelLists(100) };
}

function toGrant(name: string, upstreams: readonly number[]): Grant {
  const key = `${LIBRARY}/${name}:latest`;
  const model = { key, name, digest: 'd', listed: {}, ownTextBytes: 0, embedding: false };
  return { model, upstreams };
}

function toHolder(allowedModels: readonly string[]): Holder {
  return {
    tenant: { tenantId: 't', allowAllModels: false, allowedModels },
    key: { keyId: 'k', allowAllModels: null, allowedModels: null },
  };
}

function catchRefusal(act: () => unknown): GatewayError {
  try {
    act();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

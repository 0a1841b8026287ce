import { expect } from 'chai';
import type { Holder } from '../../../lib/access/effective-set.ts';
import { authorise } from '../../../lib/access/authorise.ts';
import { openModelLists } from '../../../lib/access/model-list.ts';
import { openCatalogue } from '../../../lib/discovery/catalogue.ts';
import {
  describeVersion,
  findEffective,
  listRunning,
  listTags,
  showModel,
} from '../../../lib/discovery/listings.ts';
import type { Listing } from '../../../lib/discovery/listings.ts';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { listedModel, modelEntry } from './samples.ts';

const NAMES = ['a:1', 'b:1', 'c:1'];

function listing(polledAtMs = 0): Listing {
  const models = NAMES.map((name) => modelEntry(name));
  const running = ['b:1', 'c:1'].map((name) => listedModel(name).listed);
  const head = { version: 1, upstreams: [{ upstream: 0, polledAtMs, ollamaVersion: '0.33.0' }] };
  const catalogue = openCatalogue({
    reader: {
      readModelsHead: () => head,
      readUpstreamModels: () => ({ models, running }),
      readShow: (_upstream, key) => (key.endsWith('a:1') ? { capabilities: ['tools'] } : undefined),
    },
    clock: { monotonicMs: () => 0 },
    maxAgeMs: 1_000,
  });
  return { models: catalogue, lists: openModelLists(100) };
}

function holder(...allowedModels: readonly string[]): Holder {
  return {
    tenant: { tenantId: 't', allowAllModels: false, allowedModels },
    key: { keyId: 'k', allowAllModels: null, allowedModels: null },
  };
}

function refusalOf(act: () => unknown): GatewayError | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof GatewayError) return error;
  }
  return undefined;
}

describe('discovery/listings', () => {
  it('lists what is allowed and discovered, in Ollama’s shape', () => {
    expect(listTags(listing(), holder('b:*', 'a:1', 'nowhere'))).to.deep.equal({
      models: [listedModel('a:1').listed, listedModel('b:1').listed],
    });
    expect(listTags(listing(), holder())).to.deep.equal({ models: [] });
  });

  it('lists everything for a key that may use everything', () => {
    const all: Holder = {
      ...holder(),
      key: { keyId: 'k', allowAllModels: true, allowedModels: [] },
    };
    expect(listTags(listing(), all).models).to.have.length(3);
  });

  it('lists of the running ones those that are allowed', () => {
    expect(listRunning(listing(), holder('a:1', 'b:1'))).to.deep.equal({
      models: [listedModel('b:1').listed],
    });
  });

  it('tells the version that Ollama told', () => {
    expect(describeVersion(listing())).to.deep.equal({ version: '0.33.0' });
  });

  it('shows a model under any alias', () => {
    expect(showModel(listing(), holder('a:1'), ' Library/A:1')).to.deep.equal({
      capabilities: ['tools'],
    });
  });

  it('finds what the list tells of one model, under any alias', () => {
    expect(findEffective(listing(), holder('a:1'), 'library/A:1').listed).to.deep.equal(
      listedModel('a:1').listed,
    );
    for (const name of ['b:1', 'nowhere', '../a:1', '']) {
      const refusal = refusalOf(() => findEffective(listing(), holder('a:1'), name));
      expect(refusal?.code, name).to.equal('model_not_allowed');
    }
  });

  it('refuses to show with the words of a refused inference, whether the model exists or not', () => {
    const inference = refusalOf(() => authorise(listing(), holder(), 'a:1'));
    for (const name of ['a:1', 'nowhere', '']) {
      const refusal = refusalOf(() => showModel(listing(), holder(), name));
      expect(refusal?.code).to.equal('model_not_allowed');
      expect(refusal?.message).to.equal(inference?.message);
    }
  });

  it('refuses everything for now while the snapshot is old, and what it cannot read of a young one', () => {
    const old = listing(-1_001);
    const all = holder('a:1', 'b:1');
    const refusals = [
      () => listTags(old, all),
      () => listRunning(old, all),
      () => describeVersion(old),
      () => showModel(old, all, 'a:1'),
      () => findEffective(old, all, 'a:1'),
      () => showModel(listing(), all, 'b:1'),
    ].map(refusalOf);
    for (const refusal of refusals) {
      expect(refusal?.code).to.equal('models_unavailable');
      expect(refusal?.details.retryAfterMs).to.equal(1_000);
    }
  });
});

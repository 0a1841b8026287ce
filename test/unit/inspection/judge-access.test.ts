import { expect } from 'chai';
import { judgeModel, judgeStanding, toHolder } from '../../../lib/inspection/judge-access.ts';
import type { Key } from '../../../lib/tenants/key.ts';
import type { Tenant } from '../../../lib/tenants/tenant.ts';
import { NO_LIMITS } from '../../support/rows.ts';

const KEY: Key = {
  id: '1',
  publicId: 'aaaaaaaaaaaa',
  tenantId: '2',
  tenant: 'acme',
  tenantStatus: 'active',
  name: '',
  status: 'active',
  allowAllModels: null,
  allowedModels: null,
  promptLog: false,
  promptLogDays: 7,
  limits: NO_LIMITS,
  createdAt: new Date(0),
  updatedAt: new Date(0),
  expiresAt: null,
  revokedAt: null,
};
const TENANT: Tenant = {
  id: '2',
  slug: 'acme',
  name: 'Acme',
  status: 'active',
  allowAllModels: true,
  allowedModels: [],
  allowRuntimeOptions: false,
  maxNumCtx: null,
  auditRetentionDays: 90,
  limits: NO_LIMITS,
  activeKeys: 1,
  createdAt: new Date(0),
  updatedAt: new Date(0),
};
const NOW_MS = 1_000;

describe('inspection/judge-access', () => {
  it('finds nothing against a key and a tenant in order', () => {
    expect(judgeStanding(KEY, TENANT, NOW_MS)).to.deep.equal([]);
    const later = { ...KEY, expiresAt: new Date(NOW_MS + 1) };
    expect(judgeStanding(later, TENANT, NOW_MS)).to.deep.equal([]);
  });

  it('names all that speaks against them', () => {
    const key = { ...KEY, status: 'revoked', expiresAt: new Date(NOW_MS) } as const;
    const told = (status: Tenant['status']): readonly string[] =>
      judgeStanding(key, { ...TENANT, status }, NOW_MS).map(({ text }) => text);
    const both = ['the key is revoked', 'the key is expired'];
    expect(told('closed')).to.deep.equal([...both, 'the tenant is closed']);
    expect(told('suspended')).to.deep.equal([...both, 'the tenant is suspended']);
  });

  it('tells upstreams that are silent from a list that is too old', () => {
    const model = {
      key: 'registry.ollama.ai/library/a:latest',
      name: 'a',
      digest: '',
      listed: {},
      ownTextBytes: 0,
      embedding: false,
    };
    const silent = { current: () => ({ find: () => ({ model, upstreams: [] }) }) };
    const old = { current: () => undefined };
    const holder = toHolder(KEY, TENANT);
    const texts = [silent, old].map((models) => judgeModel(models, holder, 'a').reason);
    expect(texts.map((reason) => [reason?.code, reason?.text])).to.deep.equal([
      ['models_unavailable', 'the upstreams that have the model are silent'],
      ['models_unavailable', 'no gateway has told of any upstream’s models lately'],
    ]);
  });

  it('passes on what is no refusal', () => {
    const broken = {
      current: (): never => {
        throw new RangeError('a bug');
      },
    };
    expect(() => judgeModel(broken, toHolder(KEY, TENANT), 'a')).to.throw(RangeError);
  });
});

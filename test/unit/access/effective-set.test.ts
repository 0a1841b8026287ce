import { expect } from 'chai';
import { filterModels, mayUse } from '../../../lib/access/effective-set.ts';
import type { Holder } from '../../../lib/access/effective-set.ts';
import { openModelLists } from '../../../lib/access/model-list.ts';
import type { ModelLists } from '../../../lib/access/model-list.ts';
import type { ModelEntry } from '../../../lib/shared/records.ts';

const MODEL = 'registry.ollama.ai/library/m:latest';

type KeyList = 'none' | 'without' | 'with';

/** Every combination: what the tenant has, what the key has, and whether the model may be used. */
const TABLE: readonly (readonly [
  tenantAll: boolean,
  tenantLists: boolean,
  keyAll: boolean | null,
  keyList: KeyList,
  allowed: boolean,
])[] = [
  [false, false, null, 'none', false],
  [false, false, null, 'without', false],
  [false, false, null, 'with', false],
  [false, false, false, 'none', false],
  [false, false, false, 'without', false],
  [false, false, false, 'with', false],
  [false, false, true, 'none', true],
  [false, false, true, 'without', true],
  [false, false, true, 'with', true],

  [false, true, null, 'none', true],
  [false, true, null, 'without', false],
  [false, true, null, 'with', true],
  [false, true, false, 'none', true],
  [false, true, false, 'without', false],
  [false, true, false, 'with', true],
  [false, true, true, 'none', true],
  [false, true, true, 'without', true],
  [false, true, true, 'with', true],

  [true, false, null, 'none', true],
  [true, false, null, 'without', false],
  [true, false, null, 'with', true],
  // The key may not have all: without a list of its own it has its tenant's, which is empty.
  [true, false, false, 'none', false],
  [true, false, false, 'without', false],
  [true, false, false, 'with', true],
  [true, false, true, 'none', true],
  [true, false, true, 'without', true],
  [true, false, true, 'with', true],

  [true, true, null, 'none', true],
  [true, true, null, 'without', false],
  [true, true, null, 'with', true],
  [true, true, false, 'none', true],
  [true, true, false, 'without', false],
  [true, true, false, 'with', true],
  [true, true, true, 'none', true],
  [true, true, true, 'without', true],
  [true, true, true, 'with', true],
];

const KEY_LISTS: Readonly<Record<KeyList, readonly string[] | null>> = {
  none: null,
  without: ['other'],
  with: ['other', 'm'],
};

describe('access/effective-set', () => {
  const lists = openModelLists(10_000);

  for (const [index, [tenantAll, tenantLists, keyAll, keyList, allowed]] of TABLE.entries()) {
    const tenant = `tenant all=${tenantAll} list=${tenantLists ? 'with' : 'without'}`;
    it(`${allowed ? 'allows' : 'denies'}: ${tenant}, key all=${keyAll} list=${keyList}`, () => {
      const holder: Holder = {
        tenant: {
          tenantId: `t${index}`,
          allowAllModels: tenantAll,
          allowedModels: tenantLists ? ['m:latest'] : ['x'],
        },
        key: { keyId: `k${index}`, allowAllModels: keyAll, allowedModels: KEY_LISTS[keyList] },
      };
      expect(mayUse(lists, holder, MODEL)).to.equal(allowed);
    });
  }

  it('has a row for every combination', () => {
    const rows = TABLE.map((row) => row.slice(0, 4).join());
    expect(new Set(rows).size).to.equal(2 * 2 * 3 * 3);
  });

  it('agrees with the sets of the specification in each of them', () => {
    const discovered = new Set(['m', 'other', 'x', 'more']);
    const intersect = (a: ReadonlySet<string>, b: readonly string[]) =>
      new Set([...a].filter((name) => b.includes(name)));
    for (const [tenantAll, tenantLists, keyAll, keyList, allowed] of TABLE) {
      const own = KEY_LISTS[keyList];
      const tenantsOwn = intersect(discovered, tenantLists ? ['m'] : ['x']);
      const tenants = tenantAll ? discovered : tenantsOwn;
      const base = keyAll === null || own !== null ? tenants : tenantsOwn;
      const narrowed = own === null ? base : intersect(base, own);
      expect((keyAll === true ? discovered : narrowed).has('m')).to.equal(allowed);
    }
  });

  it('denies by empty lists, because default is to deny', () => {
    const tenant = { tenantId: 't', allowAllModels: true, allowedModels: [] };
    const key = { keyId: 'k', allowAllModels: null, allowedModels: [] };
    expect(mayUse(lists, { key, tenant }, MODEL)).to.equal(false);
  });

  it('keeps the order of what it filters', () => {
    const holder: Holder = {
      tenant: { tenantId: 't', allowAllModels: false, allowedModels: ['a:*', 'c'] },
      key: { keyId: 'k', allowAllModels: null, allowedModels: null },
    };
    const keys = ['c:latest', 'b:latest', 'a:2', 'a:1', 'c:1'];
    const filtered = filterModels(lists, holder, keys.map(toEntry));
    expect(filtered.map(({ name }) => name)).to.deep.equal(['c:latest', 'a:2', 'a:1']);
  });

  it('looks a holder up once for all models, because its lists may be long', () => {
    const holder: Holder = {
      tenant: { tenantId: 't', allowAllModels: false, allowedModels: ['c'] },
      key: { keyId: 'k', allowAllModels: null, allowedModels: ['c', 'b'] },
    };
    const read: string[] = [];
    const counted: ModelLists = {
      read: (ownerId, names) => {
        read.push(ownerId);
        return lists.read(ownerId, names);
      },
    };
    const models = ['c:latest', 'b:latest', 'a:1'].map(toEntry);
    expect(filterModels(counted, holder, models)).to.have.length(1);
    expect(read).to.deep.equal(['key:k', 'tenant:t']);
  });
});

function toEntry(name: string): ModelEntry {
  const key = `registry.ollama.ai/library/${name}`;
  return { key, name, digest: 'd', listed: {}, ownTextBytes: 0, embedding: false };
}

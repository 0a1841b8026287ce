import { expect } from 'chai';
import fc from 'fast-check';
import { canonicalise, parseModelName } from '../../../lib/access/model-name.ts';

const LLAMA = 'registry.ollama.ai/library/llama3:latest';

const ALIASES = [
  'llama3',
  'LLaMA3',
  ' llama3 ',
  '\u0085\u3000llama3\t\r\n',
  'llama3:latest',
  'LLaMA3:Latest',
  'library/llama3',
  'Library/LLAMA3:LATEST',
  'registry.ollama.ai/library/llama3',
  'REGISTRY.ollama.ai/library/llama3:latest',
  'https://registry.ollama.ai/library/llama3:latest',
  'anything://registry.ollama.ai/library/llama3',
  'llama3:local',
  'llama3: LOCAL ',
  'llama3:latest:Local',
];

const NOT_NAMES = [
  '',
  '   ',
  ':',
  ':latest',
  'llama3:',
  'llama3: 8b',
  'llama3 :8b',
  'llama3 :local',
  'llama3:8b:9b',
  '/llama3',
  'library/',
  '//llama3',
  'https://llama3',
  'https://library/llama3',
  'a/b/c/d',
  'ht://a/b/c/d',
  'my.namespace/llama3',
  'llama3\nllama3',
  'llama3\0',
  '\ufeffllama3',
  'llama3:8b+q4',
  'llama3@sha256-00',
  '../llama3',
  '.llama3',
  '-llama3',
  'llama3:-8b',
  'llama3:*',
  'лама',
  'llama\u017f',
  '\u212almama',
  '__proto__/x/y/z',
];

describe('access/model-name', () => {
  for (const alias of ALIASES) {
    it(`knows ${JSON.stringify(alias)} for an alias, because Ollama runs the same model`, () => {
      expect(canonicalise(alias)).to.equal(LLAMA);
      expect(parseModelName(alias)?.source).to.not.equal('cloud');
    });
  }

  for (const name of NOT_NAMES) {
    it(`finds no name in ${JSON.stringify(name)}, because Ollama's grammar has no place for it`, () => {
      expect(canonicalise(name)).to.equal(undefined);
    });
  }

  it('keeps host with port, namespace and tag, because they tell models apart', () => {
    expect(canonicalise('Localhost:11434/Me/My.Model_1:8B-q4')).to.equal(
      'localhost:11434/me/my.model_1:8b-q4',
    );
    expect(canonicalise('hf.co/user/model')).to.equal('hf.co/user/model:latest');
  });

  it('takes parts of full length and nothing longer, as Ollama does', () => {
    const part = 'a'.repeat(80);
    const host = 'h'.repeat(350);
    expect(canonicalise(`${host}/${part}/${part}:${part}`)).to.be.a('string');
    expect(canonicalise(`${host}h/${part}/${part}`)).to.equal(undefined);
    expect(canonicalise(`${part}a/m`)).to.equal(undefined);
    expect(canonicalise(`${part}a`)).to.equal(undefined);
    expect(canonicalise(`m:${part}a`)).to.equal(undefined);
  });

  it('reads no spelling beyond its bound, because a client may send megabytes', () => {
    const long = `${' '.repeat(2_000_000)}llama3:cloud`;
    expect(canonicalise(long)).to.equal(undefined);
  });

  it('tells cloud names in every spelling, because they send prompts away', () => {
    const names = [
      'x:cloud',
      ' x:cloud ',
      'x:20b:cloud',
      'x:20b-Cloud',
      'x:20b-CLOUD ',
      'h/n/x:cloud',
    ];
    for (const name of names) expect(parseModelName(name)?.source, name).to.equal('cloud');
  });

  it('takes a name that only speaks of clouds for a local one, as Ollama does', () => {
    for (const name of ['my-cloud-model', 'cloud', 'x-cloud', 'cloud/x', 'foo:x-cloud/n/m']) {
      expect(parseModelName(name)?.source, name).to.not.equal('cloud');
    }
    expect(canonicalise('x-cloud')).to.equal('registry.ollama.ai/library/x-cloud:latest');
  });

  it('refuses two source suffixes at once, because Ollama does', () => {
    const names = ['x:cloud:local', 'x:local:cloud', 'x:20b-cloud:local', 'x:local:local'];
    for (const name of [...names, 'x:a-cloud-cloud'])
      expect(canonicalise(name), name).to.equal(undefined);
  });

  it('makes one name of both cloud suffixes and leaves the mark in the tag', () => {
    expect(canonicalise('x:20b:cloud')).to.equal('registry.ollama.ai/library/x:20b-cloud');
    expect(canonicalise('x:20b-cloud')).to.equal('registry.ollama.ai/library/x:20b-cloud');
    expect(canonicalise('h:1/n/x:cloud')).to.equal('h:1/n/x:cloud');
    expect(parseModelName('x:cloud')?.source).to.equal('cloud');
    expect(parseModelName('x:8b:local')?.source).to.equal('local');
    expect(parseModelName('x:8b')?.source).to.equal(null);
  });
});

const wordArb = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,12}$/);
const nameArb = fc
  .record({
    scheme: fc.constantFrom('', 'https://', 'x://'),
    host: wordArb,
    namespace: wordArb,
    model: wordArb,
    tag: wordArb,
    parts: fc.constantFrom(1, 2, 3),
    tagged: fc.boolean(),
    suffix: fc.constantFrom('', ':local', ':LOCAL', ':cloud', '-cloud', ': Cloud'),
  })
  .map((name) => {
    const path = [name.host, name.namespace, name.model].slice(3 - name.parts).join('/');
    const scheme = name.parts === 3 ? name.scheme : '';
    return `${scheme}${path}${name.tagged ? `:${name.tag}` : ''}${name.suffix}`;
  });
const anyNameArb = fc.oneof(
  nameArb,
  fc.string(),
  fc.string({
    unit: fc.constantFrom(
      'a',
      'Z',
      '0',
      '_',
      '-',
      '.',
      ':',
      '/',
      ' ',
      '*',
      '\n',
      'cloud',
      'local',
      ':cloud',
      '-cloud',
      '\u212a',
    ),
  }),
);

describe('access/model-name, for any name', () => {
  it('gives a canonical name back as it is', () => {
    fc.assert(
      fc.property(anyNameArb, (name) => {
        const canonical = canonicalise(name);
        if (canonical !== undefined) expect(canonicalise(canonical)).to.equal(canonical);
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives one name to all aliases', () => {
    fc.assert(
      fc.property(
        nameArb,
        fc.boolean(),
        fc.constantFrom('', ' ', '\n\t', '\u00a0'),
        (name, upper, space) => {
          const alias = space + (upper ? name.toUpperCase() : name) + space;
          expect(canonicalise(alias)).to.equal(canonicalise(name));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('lets no cloud spelling pass for a local model, and no local one for the cloud', () => {
    fc.assert(
      fc.property(anyNameArb, (name) => {
        const parsed = parseModelName(name);
        if (parsed === undefined) return;
        const cloud = parsed.source === 'cloud';
        expect(parseModelName(parsed.canonical)?.source === 'cloud').to.equal(cloud);
        expect(/:cloud$|-cloud$/.test(parsed.canonical)).to.equal(cloud);
      }),
      { numRuns: 5_000 },
    );
  });

  it('gives names of one form alone, in lower case', () => {
    fc.assert(
      fc.property(anyNameArb, (name) => {
        const canonical = canonicalise(name);
        if (canonical === undefined) return;
        const [host, namespace, rest = '', ...more] = canonical.split('/');
        const [model, tag, ...tags] = rest.split(':');
        expect([...more, ...tags]).to.deep.equal([]);
        expect(host).to.match(/^[a-z0-9_][a-z0-9_.:-]*$/);
        expect(namespace).to.match(/^[a-z0-9_][a-z0-9_-]*$/);
        expect(model).to.match(/^[a-z0-9_][a-z0-9_.-]*$/);
        expect(tag).to.match(/^[a-z0-9_][a-z0-9_.-]*$/);
      }),
      { numRuns: 2_000 },
    );
  });
});

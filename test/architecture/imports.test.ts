import { expect } from 'chai';
import { dirname, join, normalize } from 'node:path';
import { readImports, readSources } from '../support/source-files.ts';

/** Low to high; a file imports its own folder and lower lines only. */
const LAYERS: readonly (readonly string[])[] = [
  ['root', 'errors', 'time', 'net'],
  ['config', 'log', 'memory', 'metrics', 'store', 'threads'],
  ['ollama'],
  ['openai'],
  ['shared', 'ledger'],
  ['http'],
  ['auth'],
  ['access'],
  ['admission'],
  ['upstream'],
  ['relay'],
  ['settlement'],
  ['audit'],
  ['revocation', 'discovery', 'shards', 'retention', 'promptlog', 'health', 'tenants'],
  ['inspection'],
  ['gateway'],
  ['cluster'],
];

const STEPS = ['http', 'auth', 'access', 'admission', 'upstream', 'relay', 'settlement', 'audit'];

/** One owner a package: who else needs it asks the owner. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  undici: ['lib/upstream/'],
  ioredis: ['lib/store/'],
  pg: ['lib/store/'],
  piscina: ['lib/threads/'],
  'prom-client': ['lib/metrics/'],
  pino: ['lib/log/'],
  zod: ['lib/config/', 'bin/'],
  lmdb: ['lib/shared/'],
  '@node-rs/argon2': ['lib/auth/', 'workers/'],
  sade: ['bin/'],
  'node:cluster': ['lib/cluster/'],
};

const sources = readSources('lib', 'bin', 'workers');
const library = sources.filter(({ path }) => path.startsWith('lib/'));

function folderOf(path: string): string {
  return path.split('/')[1]?.replace('.ts', '') ?? '';
}

function layerOf(folder: string): number {
  return LAYERS.findIndex((layer) => layer.includes(folder));
}

function targetOf(path: string, from: string): string {
  return normalize(join(dirname(path), from));
}

interface Arrow {
  readonly path: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

const arrows: readonly Arrow[] = library.flatMap(({ path, text }) =>
  readImports(text)
    .filter(({ from }) => from.startsWith('.'))
    .map(({ from, typeOnly }) => ({ path, target: targetOf(path, from), typeOnly })),
);

function show({ path, target }: Arrow): string {
  return `${path} -> ${target}`;
}

describe('architecture: imports', () => {
  it('every folder of lib has its place in the order', () => {
    const unknown = library.map(({ path }) => folderOf(path)).filter((f) => layerOf(f) === -1);
    expect([...new Set(unknown)]).to.deep.equal([]);
  });

  it('go down only', () => {
    const wrong = arrows.filter(({ path, target }) => {
      const own = folderOf(path);
      const other = folderOf(target);
      return own !== other && layerOf(other) >= layerOf(own);
    });
    expect(wrong.map(show)).to.deep.equal([]);
  });

  it('lib knows nothing of what stands above it', () => {
    const wrong = arrows.filter(({ target }) => !target.startsWith('lib/'));
    expect(wrong.map(show)).to.deep.equal([]);
  });

  it('a step takes types of earlier steps, never their functions: steps meet in gateway/', () => {
    const wrong = arrows.filter(({ path, target, typeOnly }) => {
      const own = folderOf(path);
      const other = folderOf(target);
      return own !== other && STEPS.includes(own) && STEPS.includes(other) && !typeOnly;
    });
    expect(wrong.map(show)).to.deep.equal([]);
  });

  it('make no circle', () => {
    const next = new Map<string, string[]>();
    for (const { path, target } of arrows) next.set(path, [...(next.get(path) ?? []), target]);
    expect(findCircle(next)).to.equal(undefined);
  });

  it('each package has one owner', () => {
    const wrong = sources.flatMap(({ path, text }) =>
      readImports(text)
        .filter(({ from }) => !(OWNERS[from] ?? ['']).some((owner) => path.startsWith(owner)))
        .map(({ from }) => `${path} -> ${from}`),
    );
    expect(wrong).to.deep.equal([]);
  });

  it('the wire formats touch no socket, clock, file or setting', () => {
    const pure = library.filter(({ path }) => /^lib\/(ollama|openai)\//.test(path));
    const wrong = pure.flatMap(({ path, text }) =>
      readImports(text)
        .filter(({ from }) => from.startsWith('node:') || /\/(config|time|store|log)\//.test(from))
        .map(({ from }) => `${path} -> ${from}`),
    );
    expect(wrong).to.deep.equal([]);
  });

  it('there are no barrels and no default exports but for entries of threads', () => {
    const barrels = sources.filter(({ path }) => path.endsWith('/index.ts'));
    const defaults = sources.filter(
      ({ path, text }) => !path.startsWith('workers/') && /^export default/m.test(text),
    );
    expect([...barrels, ...defaults].map(({ path }) => path)).to.deep.equal([]);
  });

  it('the environment, the clock and the way out have one owner each', () => {
    const rules: readonly [RegExp, RegExp][] = [
      [/\bprocess\.env\b/, /^(lib\/config|bin|workers)\//],
      [/\bDate\.now\(|\bprocess\.hrtime\b|\bperformance\.now\(/, /^(lib\/time|bin)\//],
      [/\bprocess\.exit\(/, /^(bin|workers|lib\/cluster)\//],
      [/\bprocess\.send\b/, /^lib\/cluster\//],
      [/\bconsole\./, /^bin\//],
      [/'nz1:/, /^lib\/ledger\//],
      [/\.lua'/, /^lib\/ledger\//],
    ];
    const wrong = sources.flatMap(({ path, text }) =>
      rules
        .filter(([what, owner]) => what.test(text) && !owner.test(path))
        .map(([what]) => `${path}: ${what.source}`),
    );
    expect(wrong).to.deep.equal([]);
  });
});

function findCircle(next: ReadonlyMap<string, readonly string[]>): string | undefined {
  const done = new Set<string>();
  function visit(path: string, trail: readonly string[]): string | undefined {
    if (trail.includes(path)) return [...trail, path].join(' -> ');
    if (done.has(path)) return undefined;
    for (const target of next.get(path) ?? []) {
      const circle = visit(target, [...trail, path]);
      if (circle !== undefined) return circle;
    }
    done.add(path);
    return undefined;
  }
  for (const path of next.keys()) {
    const circle = visit(path, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

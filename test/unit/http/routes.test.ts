import { expect } from 'chai';
import { matchRoute, toDialect } from '../../../lib/http/routes.ts';

describe('http/routes', () => {
  const served: readonly [string, string, string][] = [
    ['GET', '/', 'root'],
    ['HEAD', '/', 'root'],
    ['GET', '/healthz', 'healthz'],
    ['GET', '/readyz', 'readyz'],
    ['GET', '/api/tags', 'tags'],
    ['HEAD', '/api/tags', 'tags'],
    ['GET', '/api/ps', 'ps'],
    ['GET', '/api/version', 'version'],
    ['HEAD', '/api/version', 'version'],
    ['POST', '/api/show', 'show'],
    ['GET', '/api/v1/key', 'key'],
    ['POST', '/api/chat', 'chat'],
    ['POST', '/api/generate', 'generate'],
    ['POST', '/api/embed', 'embed'],
    ['POST', '/api/embeddings', 'embeddings'],
  ];

  for (const [method, path, name] of served) {
    it(`${method} ${path} is ${name}, with any query`, () => {
      expect(matchRoute(method, path)).to.include({ name, dialect: 'native' });
      expect(matchRoute(method, `${path}?beta=true?/api/pull`)).to.include({ name });
    });
  }

  it('sends inference to a constant path', () => {
    expect(matchRoute('POST', '/api/chat?x=/api/pull')).to.include({ upstreamPath: '/api/chat' });
  });

  it('a served path with another method is unknown', () => {
    for (const [method, path] of [
      ['POST', '/'],
      ['GET', '/api/chat'],
      ['HEAD', '/api/ps'],
      ['HEAD', '/healthz'],
      ['get', '/api/tags'],
      ['GET', '/api/show'],
      ['HEAD', '/api/v1/key'],
      ['POST', '/api/v1/key'],
    ] as const) {
      expect(matchRoute(method, path).kind).to.equal('unknown');
    }
  });

  it('what Ollama can change or tell of itself is blocked, whatever the method', () => {
    for (const path of [
      '/api/pull',
      '/api/push',
      '/api/create',
      '/api/copy',
      '/api/delete',
      '/api/blobs',
      '/api/blobs/sha256:abc',
      '/api/me',
      '/api/signin',
      '/api/signout',
      '/api/user/keys/abc',
      '/api/experimental/web_search',
      '/api/web_search',
      '/api/web_fetch',
      '/api/status',
      '/debug/pprof',
    ]) {
      for (const method of ['GET', 'POST', 'DELETE', 'HEAD', 'OPTIONS']) {
        expect(matchRoute(method, path), path).to.deep.equal({
          kind: 'blocked',
          dialect: 'native',
        });
      }
    }
  });

  it('a blocked path in another spelling is unknown, for nothing is decoded or normalised', () => {
    for (const path of [
      '/api/PULL',
      '/api/pull/',
      '/api/user/../chat',
      '/api/user/./keys',
      '/api/blobs//x',
      '/debug/%70prof',
      'api/pull',
      '/api/pull#',
      '',
    ]) {
      expect(matchRoute('POST', path).kind, path).to.equal('unknown');
    }
  });

  it('the dialect follows from the path alone', () => {
    for (const target of ['/v1', '/v1/', '/v1/chat/completions', '/v1?x', '/v1/../x']) {
      expect(toDialect(target), target).to.equal('openai');
    }
    for (const target of ['/', '/v1x', '/v10', '/api/v1/key', '/V1/', '', 'v1']) {
      expect(toDialect(target), target).to.equal('native');
    }
    expect(matchRoute('GET', '/v1/nothing')).to.deep.equal({ kind: 'unknown', dialect: 'openai' });
  });
});

import { expect } from 'chai';
import { matchRoute, toDialect } from '../../../lib/http/routes.ts';

describe('http/routes', () => {
  const served: readonly [string, string, string, string?][] = [
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
    ['GET', '/v1/models', 'models', 'openai'],
    ['GET', '/v1/models/llama3', 'model', 'openai'],
    ['POST', '/api/chat', 'chat'],
    ['POST', '/api/generate', 'generate'],
    ['POST', '/api/embed', 'embed'],
    ['POST', '/api/embeddings', 'embeddings'],
  ];

  for (const [method, path, name, dialect = 'native'] of served) {
    it(`${method} ${path} is ${name}, with any query`, () => {
      expect(matchRoute(method, path)).to.include({ name, dialect });
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
      ['HEAD', '/v1/models'],
      ['DELETE', '/v1/models/llama3'],
      ['POST', '/v1/models'],
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

  const ids: readonly [string, string][] = [
    ['llama3', 'llama3'],
    ['llama3.2:3b-instruct_q4-K', 'llama3.2:3b-instruct_q4-K'],
    ['user/model:7b', 'user/model:7b'],
    ['user%2Fmodel%3A7b', 'user/model:7b'],
    ['hf.co/user/model', 'hf.co/user/model'],
    ['hf.co%2fuser%2fmodel', 'hf.co/user/model'],
    ['%6Clama3', 'llama3'],
    ['%252e', '%2e'],
    ['%2e%2e%2fpull', '../pull'],
    ['%C3%A9', '\u00e9'],
    ['...', '...'],
  ];
  for (const [raw, modelId] of ids) {
    it(`the id of /v1/models/${raw} is decoded once, and is a name at most`, () => {
      const route = { kind: 'listing', name: 'model', dialect: 'openai', modelId };
      expect(matchRoute('GET', `/v1/models/${raw}`)).to.deep.equal(route);
      expect(matchRoute('GET', `/v1/models/${raw}?x=%zz/../..`)).to.deep.equal(route);
    });
  }

  it('what is no id of a model is no route: bad escapes, other bytes, odd segments', () => {
    for (const raw of [
      '',
      '%',
      '%2',
      '%zz',
      '%ff',
      '%C3',
      '%ED%A0%80',
      '%C0%AF',
      '/llama3',
      'user//model',
      'user/model/',
      '.',
      '..',
      './llama3',
      '../../api/pull',
      'user/../model',
      'a/b/c/d',
      'a;b',
      'a\\b',
      'a b',
      'a+b',
      'a@b',
      'a#b',
      'caf\u00e9',
    ]) {
      expect(matchRoute('GET', `/v1/models/${raw}`), raw).to.deep.equal({
        kind: 'unknown',
        dialect: 'openai',
      });
    }
  });

  it('no other path may hold an escape', () => {
    for (const path of ['/v1%2Fmodels', '/v1/models%2Fllama3', '/v1/%6Dodels/llama3']) {
      expect(matchRoute('GET', path).kind, path).to.equal('unknown');
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

import { expect } from 'chai';
import { exchangeRaw, head } from '../support/raw-client.ts';
import { UNUSUAL_TARGETS } from '../support/hostile-heads.ts';
import { openFront } from '../support/open-front.ts';
import type { Front } from '../support/open-front.ts';

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'] as const;

describe('security: unusual request targets', () => {
  let front: Front;

  before(async () => {
    front = await openFront();
  });

  after(async () => {
    await front.close();
  });

  for (const target of UNUSUAL_TARGETS) {
    it(`${JSON.stringify(target)} reaches no route, with no method`, async () => {
      for (const method of METHODS) {
        const client = await exchangeRaw(front.port, head(`${method} ${target}`));
        expect(client.status).to.be.oneOf([400, 403, 404]);
      }
    });
  }

  it('not one of them was taken for a route', () => {
    const kinds = new Set(front.routes.map(({ kind }) => kind));
    expect([...kinds]).to.deep.equal(['unknown']);
    expect(front.calls).to.deep.equal([]);
  });

  it('headers that would override method or path mean nothing', async () => {
    const client = await exchangeRaw(
      front.port,
      head(
        'GET /healthz',
        'X-HTTP-Method-Override: POST',
        'X-HTTP-Method: POST',
        'X-Method-Override: POST',
        'X-Original-URL: /api/pull',
        'X-Rewrite-URL: /api/pull',
        'X-Forwarded-Prefix: /api',
      ),
    );
    expect(client.status).to.equal(200);
    expect(client.body).to.equal('healthz');
  });

  it('a blocked route stays blocked with any method and any query', async () => {
    for (const method of METHODS) {
      const client = await exchangeRaw(front.port, head(`${method} /api/pull?x=/api/chat`));
      expect(client.status).to.equal(403);
    }
  });
});

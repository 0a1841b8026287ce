import { expect } from 'chai';
import { gzipSync } from 'node:zlib';
import { openFront } from '../support/open-front.ts';
import type { Front } from '../support/open-front.ts';
import { exchangeRaw, head } from '../support/raw-client.ts';

const CHAT = '{"model":"m"}';

describe('security: compressed bodies', () => {
  let front: Front;

  before(async () => {
    front = await openFront();
  });

  after(async () => {
    await front.close();
  });

  for (const encoding of ['gzip', 'GZIP', 'deflate', 'br', 'zstd', 'identity, zstd', 'x', '']) {
    it(`Content-Encoding ${JSON.stringify(encoding)} is 415, and nothing is unpacked`, async () => {
      const body = gzipSync(CHAT);
      const lines = head(
        'POST /api/chat',
        `Content-Encoding: ${encoding}`,
        `Content-Length: ${body.length}`,
      );
      const client = await exchangeRaw(front.port, lines, body);
      expect(client.status).to.equal(415);
      expect(front.calls).to.deep.equal([]);
    });
  }

  it('identity is no encoding, and the content type does not matter', async () => {
    const lines = head(
      'POST /api/chat',
      'Content-Encoding: Identity',
      'Content-Type: application/x-www-form-urlencoded',
      `Content-Length: ${CHAT.length}`,
    );
    expect((await exchangeRaw(front.port, lines, CHAT)).status).to.equal(200);
  });
});

import { expect } from 'chai';
import { findCaddy } from '../../support/find-caddy.ts';
import { askRawHttp2 } from '../../support/raw-http2.ts';
import type { HeaderField } from '../../support/raw-http2.ts';
import { makeChat, SMUGGLED, VISIBLE } from '../../support/smuggled-requests.ts';
import {
  expectOthersServed,
  readAdmitted,
  startStackBehindCaddy,
} from '../../support/stack-behind-caddy.ts';
import type { StackBehindCaddy } from '../../support/stack-behind-caddy.ts';
import type { MadeKey } from '../../support/stack.ts';
import { DOMAIN } from '../../support/start-caddy.ts';

const CHAT = makeChat(VISIBLE);

interface Changed {
  readonly name: string;
  /** In the place of the field of that name, or after all. */
  readonly fields: readonly HeaderField[];
  readonly body?: string;
  /** Before the pseudo-fields. */
  readonly first?: readonly HeaderField[];
}

const program = await findCaddy();

if (program !== undefined) {
  describe('security: requests smuggled through Caddy by way of HTTP/2', function () {
    this.timeout(60_000);
    let stack: StackBehindCaddy;
    let caller: MadeKey;
    let accepted = 0;

    before(async () => {
      stack = await startStackBehindCaddy({ program });
      caller = await stack.makeCaller();
    });
    after(() => stack.stop());

    const inner =
      `POST /api/chat HTTP/1.1\r\nHost: ${DOMAIN}\r\nContent-Length: ${makeChat(SMUGGLED).length}` +
      `\r\n\r\n${makeChat(SMUGGLED)}`;
    const chunked = `${CHAT.length.toString(16)}\r\n${CHAT}\r\n0\r\n\r\n${inner}`;

    /** Whether it may be served, as what it says it is. */
    const honest: readonly Changed[] = [
      { name: 'as it should be', fields: [] },
      { name: 'a right length', fields: [['content-length', String(CHAT.length)]] },
      { name: 'te: trailers', fields: [['te', 'trailers']] },
    ];
    const hostile: readonly Changed[] = [
      { name: 'too small a length', fields: [['content-length', '5']] },
      { name: 'no length', fields: [['content-length', '0']] },
      { name: 'too large a length', fields: [['content-length', '500']] },
      {
        name: 'two lengths',
        fields: [
          ['content-length', String(CHAT.length)],
          ['content-length', '0'],
        ],
      },
      { name: 'a signed length', fields: [['content-length', `+${CHAT.length}`]] },
      { name: 'a length and more', fields: [['content-length', `${CHAT.length}\r\nx: y`]] },
      { name: 'transfer-encoding', fields: [['transfer-encoding', 'chunked']] },
      {
        name: 'transfer-encoding, chunks within',
        fields: [['transfer-encoding', 'chunked']],
        body: chunked,
      },
      {
        name: 'a disguised transfer-encoding',
        fields: [['x', 'y\r\ntransfer-encoding: chunked']],
        body: chunked,
      },
      {
        name: 'transfer-encoding in a name',
        fields: [['x: y\r\ntransfer-encoding', 'chunked']],
        body: chunked,
      },
      { name: 'connection', fields: [['connection', 'keep-alive']] },
      { name: 'connection that names a field', fields: [['connection', 'authorization']] },
      { name: 'proxy-connection', fields: [['proxy-connection', 'keep-alive']] },
      {
        name: 'upgrade',
        fields: [
          ['upgrade', 'websocket'],
          ['connection', 'upgrade'],
        ],
      },
      { name: 'te: chunked', fields: [['te', 'chunked']] },
      { name: 'a request in a value', fields: [['x', `y\r\n\r\n${inner}`]] },
      { name: 'a request in a value, bare line feeds', fields: [['x', `y\n\n${inner}`]] },
      { name: 'a request in a name', fields: [[`x: y\r\n\r\n${inner}`, 'z']] },
      { name: 'a NUL in a value', fields: [['x', 'y\u0000z']] },
      { name: 'upper case in a name', fields: [['X-Upper', 'y']] },
      { name: 'a colon in a name', fields: [['x:y', 'z']] },
      { name: 'an empty name', fields: [['', 'z']] },
      { name: 'a request in the path', fields: [[':path', `/api/chat HTTP/1.1\r\n\r\n${inner}`]] },
      { name: 'a version in the path', fields: [[':path', '/api/chat HTTP/1.1']] },
      { name: 'a path without a slash', fields: [[':path', 'api/chat']] },
      { name: 'an absolute path', fields: [[':path', 'http://evil.example/api/chat']] },
      { name: 'an empty path', fields: [[':path', '']] },
      {
        name: 'a request in the method',
        fields: [[':method', `POST /api/chat HTTP/1.1\r\n\r\n${inner}`]],
      },
      { name: 'a target in the method', fields: [[':method', 'POST /api/chat?']] },
      { name: 'CONNECT', fields: [[':method', 'CONNECT']] },
      { name: 'a request in the authority', fields: [[':authority', `${DOMAIN}\r\n\r\n${inner}`]] },
      { name: 'another authority', fields: [[':authority', 'evil.example']] },
      { name: 'an authority with a user', fields: [[':authority', `x@${DOMAIN}`]] },
      { name: 'no authority', fields: [[':authority', '']] },
      { name: 'a request in the scheme', fields: [[':scheme', `https\r\n\r\n${inner}`]] },
      { name: 'an unknown pseudo-field', fields: [[':protocol', 'websocket']] },
      { name: 'a status in a request', fields: [[':status', '200']] },
      { name: 'a pseudo-field at the end', first: [['x', 'y']], fields: [] },
    ];

    async function send({ fields, first = [], body = CHAT }: Changed): Promise<void> {
      const seen = stack.ollama.inferences.length;
      const names = new Set(fields.map(([name]) => name));
      const pseudo: readonly HeaderField[] = [
        [':method', 'POST'],
        [':scheme', 'https'],
        [':authority', DOMAIN],
        [':path', '/api/chat'],
      ];
      const all: readonly HeaderField[] = [
        ...first,
        ...pseudo.filter(([name]) => !names.has(name)),
        ...fields.filter(([name]) => name.startsWith(':')),
        ['authorization', `Bearer ${caller.key}`],
        ...fields.filter(([name]) => !name.startsWith(':')),
      ];
      const verdict = await askRawHttp2(stack.caddy, all, body);
      const came = stack.ollama.inferences.slice(seen);
      expect(came.length, JSON.stringify(verdict)).to.equal(verdict.accepted ? 1 : 0);
      accepted += came.length;
      for (const { method, path, body: sent } of came) {
        expect([method, path]).to.deep.equal(['POST', '/api/chat']);
        expect(sent).to.include(VISIBLE).and.not.include(SMUGGLED);
      }
    }

    for (const one of honest) {
      it(`${one.name}: is served`, async () => {
        const before = accepted;
        await send(one);
        expect(accepted).to.equal(before + 1);
      });
    }

    for (const one of hostile) {
      it(`${one.name}: nothing hidden is served`, async () => {
        await send(one);
        await expectOthersServed(stack, caller.key);
      });
    }

    it('every request that was accepted has its audit row, and nothing else has', async () => {
      expect(await readAdmitted(stack, caller.keyId, accepted)).to.have.length(accepted);
      expect(stack.ollama.inferences).to.have.length(accepted);
    });
  });
}

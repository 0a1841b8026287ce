import { expect } from 'chai';
import { readText } from '../support/monitoring-files.ts';

const PATH = 'deploy/Caddyfile';

/** Names under which clients tell of an address, a path or a method that is not theirs to say. */
const DROPPED = [
  'Forwarded',
  'X-Real-IP',
  'X-Client-IP',
  'X-Cluster-Client-IP',
  'True-Client-IP',
  'CF-Connecting-IP',
  'X-Forwarded-Port',
  'X-Forwarded-Prefix',
  'X-Forwarded-Server',
  'X-Original-URL',
  'X-Rewrite-URL',
  'X-HTTP-Method',
  'X-HTTP-Method-Override',
  'X-Method-Override',
  'Cookie',
  'Accept-Encoding',
  'Via',
];

/** Directives, without comments, each on its line. */
async function readLines(): Promise<readonly string[]> {
  const text = await readText(PATH);
  return text.split('\n').flatMap((line) => {
    const directive = line.trim();
    return directive === '' || directive.startsWith('#') ? [] : [directive];
  });
}

describe('security: the Caddyfile, as it is written for every release of Caddy', () => {
  it('passes on nothing by which a client could seem to be another, and adds nothing', async () => {
    const lines = await readLines();
    const upward = lines.filter((line) => line.startsWith('header_up '));
    expect(upward).to.deep.equal(DROPPED.map((name) => `header_up -${name}`));
    expect(lines.filter((line) => /^trusted_proxies|^client_ip_headers/.test(line))).to.be.empty;
  });

  it('holds nothing back, compresses nothing, repeats nothing and cuts no answer off', async () => {
    const lines = await readLines();
    const unwanted =
      /^(encode|write|response_header_timeout|read_timeout|write_timeout|stream_timeout|lb_retries|response_buffers|buffer_responses|templates|intercept|handle_response|rewrite|uri|on_demand)\b/;
    expect(lines.filter((line) => unwanted.test(line))).to.be.empty;
    expect(lines).to.include.members([
      'request_buffers 256KiB',
      'lb_try_duration 0s',
      'compression off',
      'flush_interval -1',
      'read_header 10s',
      'read_body 75s',
      'max_header_size 32KB',
      'protocols h1 h2',
      'protocols tls1.2 tls1.3',
    ]);
  });

  it('opens no admin endpoint, no redirect and no file, unless an operator says so', async () => {
    const lines = await readLines();
    expect(lines).to.include.members([
      'admin {$NZGW_CADDY_ADMIN:off}',
      'auto_https disable_redirects',
      'skip_install_trust',
    ]);
    expect(lines.filter((line) => /^(file_server|root|redir|php_fastcgi)\b/.test(line))).to.be
      .empty;
    expect(lines.filter((line) => line.startsWith('reverse_proxy'))).to.deep.equal([
      'reverse_proxy {$NZGW_UPSTREAM:127.0.0.1:8080} {',
    ]);
  });

  it('sets and removes the same headers on every answer, its own included', async () => {
    const text = await readText(PATH);
    const [, block = ''] = /^\(headers\) \{\n\theader \{\n([^}]*)\}/m.exec(text) ?? [];
    expect(block.split('\n').map((line) => line.trim())).to.include.members([
      'Strict-Transport-Security "max-age=63072000; includeSubDomains"',
      'X-Content-Type-Options nosniff',
      '-Server',
      '-Via',
      '-X-Powered-By',
      'defer',
    ]);
    expect(text.match(/^\t+import headers$/gm)).to.have.length(3);
  });

  it('writes neither header, query string nor whole address into its log', async () => {
    const lines = await readLines();
    expect(lines).to.include.members([
      'request>headers delete',
      'resp_headers delete',
      'request>uri regexp [?].* ?',
      'request>remote_ip ip_mask {',
      'request>client_ip ip_mask {',
      'request>remote_port delete',
    ]);
  });
});

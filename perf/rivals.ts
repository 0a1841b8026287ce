import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePort } from '../bin/quickstart/free-port.ts';
import { findDebianProgram } from '../test/support/debian-program.ts';
import { until } from '../test/support/until.ts';
import { Child } from './child.ts';
import type { Server } from './server.ts';

const run = promisify(execFile);
const FIRST_PORT = 28_080;

export interface RivalPlan {
  readonly directory: string;
  readonly upstream: string;
  readonly workers: number;
}

/** nginx as a proxy of streams: nothing buffered, connections kept on both sides, no log. */
export async function startNginx({ directory, upstream, workers }: RivalPlan): Promise<Server> {
  const program = await findDebianProgram('nginx');
  const port = await findFreePort(FIRST_PORT);
  const folder = join(directory, 'nginx');
  await mkdir(folder, { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${folder}/${name};`)
    .join('\n');
  const config = `
daemon off;
pid ${folder}/nginx.pid;
error_log stderr crit;
worker_processes ${workers};
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http {
  access_log off;
${temporary}
  keepalive_requests 100000000;
  upstream ollama {
    server ${new URL(upstream).host};
    keepalive 64;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://ollama;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 300s;
    }
  }
}
`;
  await writeFile(join(folder, 'nginx.conf'), config);
  const child = new Child(program, ['-p', folder, '-c', join(folder, 'nginx.conf')]);
  const { stderr } = await run(program, ['-v']);
  return toServer('nginx', { child, port, facts: `${stderr.trim()}, ${workers} workers, no log` });
}

/** Caddy as a proxy of streams: every write flushed, connections kept, no log. */
export async function startCaddy({ directory, upstream, workers }: RivalPlan): Promise<Server> {
  const program = await findDebianProgram('caddy');
  const version = (await run(program, ['version'])).stdout.trim();
  const buffering = chooseBuffering(version);
  const port = await findFreePort(FIRST_PORT);
  const file = join(directory, 'Caddyfile');
  const config = `
{
  admin off
  auto_https off
  log {
    level ERROR
  }
}
http://127.0.0.1:${port} {
  reverse_proxy ${new URL(upstream).host} {
    flush_interval -1
    ${buffering}
    transport http {
      keepalive_idle_conns_per_host 64
    }
  }
}
`;
  await writeFile(file, config);
  const child = new Child(program, ['run', '--adapter', 'caddyfile', '--config', file], {
    HOME: directory,
    XDG_DATA_HOME: directory,
    XDG_CONFIG_HOME: directory,
    GOMAXPROCS: String(workers),
  });
  return toServer('Caddy', {
    child,
    port,
    facts: `${version}, GOMAXPROCS=${workers}, flush_interval -1, ${buffering}, no log`,
  });
}

/**
 * Over HTTP/1.1 Caddy now and then ends a stream after some lines, as if it were complete, unless it
 * has read the whole request first (caddyserver/caddy#5431; seen with 2.6.2 in every second run).
 */
function chooseBuffering(version: string): string {
  const minor = Number(/^v?2\.(\d+)/.exec(version)?.[1] ?? NaN);
  return minor <= 6 ? 'buffer_requests' : 'request_buffers 16MiB';
}

async function toServer(
  name: string,
  { child, port, facts }: { child: Child; port: number; facts: string },
): Promise<Server> {
  const url = `http://127.0.0.1:${port}`;
  await until(
    async () => {
      if (!child.isRunning) throw new Error(`${name} ended: ${child.lastWords}`);
      const answer = await fetch(url).catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.status === 200;
    },
    { withinMs: 10_000, what: `${name} to answer` },
  );
  return { name, url, headers: {}, pid: child.pid, facts, stop: () => child.stop() };
}

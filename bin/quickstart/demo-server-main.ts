import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { DEMO_NOTICE } from './demo-models.ts';
import { startDemoServer } from './demo-server.ts';

/**
 * The demo model server as a process of its own: `node dist/bin/quickstart/demo-server-main.js`.
 * Its address is one JSON line on stdout. With `--attached` it ends when its stdin does, and so
 * cannot outlive the process that holds the other end.
 */
const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    'token-ms': { type: 'string', default: '25' },
    attached: { type: 'boolean', default: false },
  },
});
const server = await startDemoServer({
  host: values.host,
  port: Number(values.port),
  tokenMs: Number(values['token-ms']),
});
const { port } = server.address() as AddressInfo;
process.stdout.write(
  `${JSON.stringify({ url: `http://${values.host}:${port}`, pid: process.pid, notice: DEMO_NOTICE })}\n`,
);

function stop(): void {
  server.close();
  server.closeAllConnections();
}
process.once('SIGTERM', stop).once('SIGINT', stop);
if (values.attached) process.stdin.once('end', stop).resume();

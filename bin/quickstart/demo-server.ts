import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { answerGeneration } from './demo-generation.ts';
import {
  DEMO_NOTICE,
  DEMO_VERSION,
  findDemoModel,
  listDemoModels,
  listRunningDemoModels,
  showDemoModel,
} from './demo-models.ts';
import { countTokens, makeEmbedding } from './demo-replies.ts';
import { readDemoRequest } from './demo-requests.ts';
import type { DemoRequest } from './demo-requests.ts';

export interface DemoServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Time between two tokens; 25 ms is the pace of a small model. */
  readonly tokenMs: number;
}

const LISTINGS: Readonly<Record<string, () => object>> = {
  'GET /api/version': () => ({ version: DEMO_VERSION }),
  'GET /api/tags': listDemoModels,
  'GET /api/ps': listRunningDemoModels,
};

const WITH_A_MODEL: ReadonlySet<string> = new Set([
  'POST /api/show',
  'POST /api/chat',
  'POST /api/generate',
  'POST /api/embed',
  'POST /api/embeddings',
]);

/**
 * A server that speaks as much of Ollama's protocol as the gateway uses, with models that only repeat
 * what they hear: for trying the gateway where no Ollama is. It says so wherever it can.
 */
export async function startDemoServer(options: DemoServerOptions): Promise<Server> {
  const server = createServer((request, response) => {
    response.setHeader('x-demo-model', DEMO_NOTICE);
    answer(request, response, options.tokenMs).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendJson(response, 400, { error: `${DEMO_NOTICE}: ${String(error)}` });
    });
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  return server;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  tokenMs: number,
): Promise<void> {
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
  const asked = `${method} ${request.url ?? ''}`;
  const listing = LISTINGS[asked];
  if (asked === 'GET /') {
    response.end(`Ollama is running (${DEMO_NOTICE})`);
  } else if (listing !== undefined) {
    sendJson(response, 200, listing());
  } else if (WITH_A_MODEL.has(asked)) {
    await answerWithModel(request, response, tokenMs);
  } else {
    request.resume();
    sendJson(response, 404, { error: `the ${DEMO_NOTICE} does not know this` });
  }
}

async function answerWithModel(
  request: IncomingMessage,
  response: ServerResponse,
  tokenMs: number,
): Promise<void> {
  const asked = readDemoRequest(await text(request));
  const model = findDemoModel(asked.model);
  const route = request.url ?? '';
  if (model === undefined) {
    sendJson(response, 404, { error: `model '${asked.model}' not found` });
  } else if (route === '/api/show') {
    sendJson(response, 200, showDemoModel(model));
  } else if (route === '/api/chat' || route === '/api/generate') {
    await answerGeneration(response, asked, { model: model.name, route, tokenMs });
  } else {
    sendJson(response, 200, embed(asked, model.name, route));
  }
}

function embed(asked: DemoRequest, model: string, route: string): object {
  if (route === '/api/embeddings') return { embedding: makeEmbedding(asked.prompt.last) };
  return {
    model,
    embeddings: asked.inputs.map(makeEmbedding),
    total_duration: 1_000_000,
    load_duration: 1_000,
    prompt_eval_count: countTokens(asked.inputs),
  };
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}

import { expect } from 'chai';
import OpenAI from 'openai';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';

const MODEL = 'llama3';
const MESSAGES: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'hello' }];
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
/** Deprecated, and sent by many. */
const LEGACY_LIMIT: object = { max_tokens: 10 };
const WEATHER: OpenAI.ChatCompletionTool = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather of a place',
    parameters: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
  },
};

describe('e2e: the OpenAI client from npm works unchanged', function () {
  this.timeout(30_000);
  let stack: Stack;
  let caller: MadeKey;
  let client: OpenAI;

  before(async () => {
    stack = await startStack();
    caller = await stack.makeCaller();
    client = new OpenAI({ baseURL: `${stack.gateway.url}/v1`, apiKey: caller.key, maxRetries: 0 });
  });
  after(() => stack.stop());

  /** The body of the last request that reached the upstream. */
  function lastSent(): Record<string, unknown> {
    return JSON.parse(stack.ollama.inferences.at(-1)?.body ?? '') as Record<string, unknown>;
  }

  it('chats', async () => {
    stack.ollama.next({ tokens: 3, text: 'ab' });
    const reply = await client.chat.completions.create({
      model: MODEL,
      messages: [{ role: 'developer', content: 'be kind' }, ...MESSAGES],
      max_completion_tokens: 50,
      ...LEGACY_LIMIT,
    });
    expect(reply).to.deep.include({ object: 'chat.completion', model: 'llama3:latest' });
    expect(reply.id).to.match(/^chatcmpl-[0-9a-f]{24}$/);
    expect(reply.choices[0]).to.deep.include({
      index: 0,
      finish_reason: 'stop',
      message: { role: 'assistant', content: 'ababab' },
    });
    expect(reply.usage).to.deep.equal({ prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 });
    expect(reply._request_id).to.match(/^[0-9a-f-]{36}$/);
    expect(lastSent()).to.deep.include({
      model: 'llama3:latest',
      stream: true,
      messages: [
        { role: 'system', content: 'be kind' },
        { role: 'user', content: 'hello' },
      ],
    });
    expect(lastSent()['options']).to.deep.equal({ temperature: 1, top_p: 1, num_predict: 50 });
  });

  it('streams, and tells the usage when asked', async () => {
    stack.ollama.next({ tokens: 4, text: 'ab', thinking: 2 });
    const { data: stream, response } = await client.chat.completions
      .create({
        model: MODEL,
        messages: MESSAGES,
        stream: true,
        stream_options: { include_usage: true },
      })
      .withResponse();
    expect(response.headers.get('content-type')).to.equal('text/event-stream; charset=utf-8');
    expect(response.headers.get('x-nzgw-max-tokens')).to.equal('8192');
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta));
    expect(deltas.map(({ content }) => content ?? '').join('')).to.equal('abababab');
    expect(deltas.map(({ role }) => role)).to.deep.equal([
      'assistant',
      ...deltas.slice(1).map(() => undefined),
    ]);
    const reasoning = deltas.map((delta) => (delta as { reasoning?: string }).reasoning ?? '');
    expect(reasoning.join('')).to.equal(' hm hm');
    expect(new Set(chunks.map(({ id }) => id))).to.have.property('size', 1);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).to.equal('stop');
    expect(chunks.at(-1)).to.deep.include({
      choices: [],
      usage: { prompt_tokens: 7, completion_tokens: 6, total_tokens: 13 },
    });
  });

  it('goes round with a tool: the call, its result, the answer', async () => {
    const called = { function: { index: 0, name: 'weather', arguments: { place: 'Rome' } } };
    stack.ollama.next({ tokens: 0, toolCalls: [called, called] }, { tokens: 1, text: 'sunny' });
    const runner = client.chat.completions.runTools({
      model: MODEL,
      messages: MESSAGES,
      stream: true,
      tools: [
        {
          type: 'function',
          function: {
            name: 'weather',
            description: 'The weather of a place',
            parameters: { type: 'object', properties: { place: { type: 'string' } } },
            parse: JSON.parse,
            function: ({ place }: { place: string }) => `18 degrees in ${place}`,
          },
        },
      ],
    });
    expect(await runner.finalContent()).to.equal('sunny');
    const { messages } = lastSent() as { messages: Record<string, unknown>[] };
    expect(messages.slice(1)).to.deep.equal([
      {
        role: 'assistant',
        content: '',
        tool_calls: [0, 1].map((n) => ({
          id: (messages[1]?.['tool_calls'] as { id: string }[])[n]?.id,
          function: { name: 'weather', arguments: { place: 'Rome' } },
        })),
      },
      ...[0, 1].map((n) => ({
        role: 'tool',
        content: '18 degrees in Rome',
        tool_name: 'weather',
        tool_call_id: (messages[1]?.['tool_calls'] as { id: string }[])[n]?.id,
      })),
    ]);
    const ids = (messages[1]?.['tool_calls'] as { id: string }[]).map(({ id }) => id);
    expect(new Set(ids).size).to.equal(2);
    expect(ids[0]).to.match(/^call_/);
  });

  it('drops the tools where none may be called', async () => {
    const asked = { model: MODEL, messages: MESSAGES, tools: [WEATHER] };
    await client.chat.completions.create({ ...asked, tool_choice: 'none' });
    expect(lastSent()).to.not.have.property('tools');
    await client.chat.completions.create({ ...asked, tool_choice: 'auto' });
    expect(lastSent()['tools']).to.have.length(1);
  });

  it('asks for structured output and parses it', async () => {
    stack.ollama.next({ tokens: 1, text: '{"city":"Rome"}' });
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
    const reply = await client.chat.completions.create({
      model: MODEL,
      messages: MESSAGES,
      response_format: { type: 'json_schema', json_schema: { name: 'city', schema } },
    });
    expect(JSON.parse(reply.choices[0]?.message.content ?? '')).to.deep.equal({ city: 'Rome' });
    expect(lastSent()['format']).to.deep.equal(schema);
  });

  it('sends an image beside its text, in one message', async () => {
    await client.chat.completions.create({
      model: MODEL,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'what is ' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
            { type: 'text', text: 'this?' },
          ],
        },
      ],
    });
    expect(lastSent()['messages']).to.deep.equal([
      { role: 'user', content: 'what is this?', images: [PIXEL] },
    ]);
  });

  it('tells log probabilities when asked', async () => {
    stack.ollama.next({ tokens: 2, text: 'ab', logprobs: true });
    const reply = await client.chat.completions.create({
      model: MODEL,
      messages: MESSAGES,
      logprobs: true,
      top_logprobs: 2,
    });
    expect(reply.choices[0]?.logprobs?.content).to.deep.equal(
      [0, 1].map(() => ({ token: 'ab', logprob: -0.5, bytes: null, top_logprobs: [] })),
    );
    expect(lastSent()).to.deep.include({ logprobs: true, top_logprobs: 2 });
  });

  it('completes a prompt, streamed and not', async () => {
    stack.ollama.next({ tokens: 2, text: 'ab' }, { tokens: 2, text: 'ab' });
    const asked = { model: MODEL, prompt: 'once', max_tokens: 20 };
    const whole = await client.completions.create(asked);
    expect(whole).to.deep.include({ object: 'text_completion' });
    expect(whole.id).to.match(/^cmpl-[0-9a-f]{24}$/);
    expect(whole.choices[0]).to.deep.include({ text: 'abab', index: 0, finish_reason: 'stop' });
    let text = '';
    for await (const part of await client.completions.create({ ...asked, stream: true })) {
      text += part.choices[0]?.text ?? '';
    }
    expect(text).to.equal('abab');
  });

  it('answers an empty prompt as Ollama does, without the upstream and free of charge', async () => {
    const before = stack.ollama.inferences.length;
    const whole = await client.completions.create({ model: MODEL, prompt: '' });
    expect(whole.choices[0]).to.deep.include({ text: '', finish_reason: 'load' });
    const reasons: unknown[] = [];
    const stream = await client.completions.create({ model: MODEL, prompt: '', stream: true });
    for await (const { choices } of stream) reasons.push(choices[0]?.finish_reason);
    expect(reasons).to.deep.equal(['load']);
    expect(stack.ollama.inferences).to.have.length(before);
  });

  it('embeds, as floats and as base64, which the client asks for by itself', async () => {
    const asked = { model: 'nomic-embed-text', input: ['a', 'b'] };
    const decoded = await client.embeddings.create(asked);
    const floats = await client.embeddings.create({ ...asked, encoding_format: 'float' });
    for (const reply of [decoded, floats]) {
      expect(reply.data.map(({ index }) => index)).to.deep.equal([0, 1]);
      expect(reply.data[1]?.embedding).to.deep.equal([0.0625, 0.125, 0.1875, 0.25]);
      expect(reply.model).to.equal('nomic-embed-text');
      expect(reply.usage).to.deep.equal({ prompt_tokens: 14, total_tokens: 14 });
    }
  });

  it('aborts, and the upstream is freed', async () => {
    stack.ollama.next({ tokens: 5_000, paceMs: 5 });
    const stream = await client.chat.completions.create({
      model: MODEL,
      messages: MESSAGES,
      stream: true,
    });
    const seen = stack.ollama.inferences.at(-1);
    for await (const { choices } of stream) if (choices[0]?.delta.content !== '') break;
    await seen?.closed;
    expect(seen?.completed).to.equal(false);
  });
});

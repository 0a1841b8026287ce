/** Where a client goes, and what it asks for. Neither holds a quote, a blank or a `$`. */
export interface Target {
  /** Of the gateway, without a path. */
  readonly url: string;
  readonly model: string;
}

/** Code to paste, as all of this file: the key stays in the environment. */
export function toOpenaiPython({ url, model }: Target): string {
  return `# pip install openai
import os

from openai import OpenAI

client = OpenAI(base_url='${url}/v1', api_key=os.environ['NZGW_API_KEY'])
reply = client.chat.completions.create(
    model='${model}',
    messages=[{'role': 'user', 'content': 'hello'}],
)
print(reply.choices[0].message.content)`;
}

export function toOpenaiNode({ url, model }: Target): string {
  return `// npm install openai
import OpenAI from 'openai';

const client = new OpenAI({ baseURL: '${url}/v1', apiKey: process.env.NZGW_API_KEY });
const reply = await client.chat.completions.create({
  model: '${model}',
  messages: [{ role: 'user', content: 'hello' }],
});
console.log(reply.choices[0].message.content);`;
}

/**
 * Two texts, of which one is to be pasted. The key goes into a header: what these libraries call a key is for ollama.com alone.
 */
export function toOllama({ url, model }: Target): string {
  return `# Python: pip install ollama
import os

from ollama import Client

client = Client(
    host='${url}',
    headers={'Authorization': 'Bearer ' + os.environ['NZGW_API_KEY']},
)
reply = client.chat(model='${model}', messages=[{'role': 'user', 'content': 'hello'}])
print(reply.message.content)

// JavaScript: npm install ollama
import { Ollama } from 'ollama';

const client = new Ollama({
  host: '${url}',
  headers: { Authorization: \`Bearer \${process.env.NZGW_API_KEY}\` },
});
const reply = await client.chat({
  model: '${model}',
  messages: [{ role: 'user', content: 'hello' }],
});
console.log(reply.message.content);`;
}

/** OpenAIEmbeddings sends token numbers of OpenAI's own models unless it is told not to. */
export function toLangchain({ url, model }: Target): string {
  return `# pip install langchain-openai langchain-ollama
import os

from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI

key = os.environ['NZGW_API_KEY']

# In OpenAI's dialect. For OpenAIEmbeddings the same, and check_embedding_ctx_length=False.
chat = ChatOpenAI(model='${model}', base_url='${url}/v1', api_key=key)

# Or in Ollama's own, where the key goes into a header.
native = ChatOllama(
    model='${model}',
    base_url='${url}',
    client_kwargs={'headers': {'Authorization': 'Bearer ' + key}},
)

print(chat.invoke('hello').content)`;
}

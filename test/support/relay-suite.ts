import { startFakeOllama } from './fake-ollama.ts';
import type { FakeOllama, Script } from './fake-ollama.ts';
import { openRelay } from './open-relay.ts';
import type { RelayTest, RelayTestOptions } from './open-relay.ts';

export interface JsonReply {
  readonly status: number;
  readonly reply: Record<string, unknown>;
  readonly headers: Headers;
}

/** A relay before a fake Ollama, both new for every test of a suite. */
export class RelaySuite {
  #fake: FakeOllama | undefined;
  #relay: RelayTest | undefined;

  get fake(): FakeOllama {
    if (!this.#fake) throw new Error('asked for outside of a test');
    return this.#fake;
  }

  get relay(): RelayTest {
    if (!this.#relay) throw new Error('asked for outside of a test');
    return this.#relay;
  }

  async open(): Promise<void> {
    this.#fake = await startFakeOllama();
    this.#relay = await openRelay({ origins: [this.#fake.url] });
  }

  /** Another relay before the same fake. */
  async reopen(options: Partial<RelayTestOptions>): Promise<void> {
    await this.relay.close();
    this.#relay = await openRelay({ origins: [this.fake.url], ...options });
  }

  async close(): Promise<void> {
    await this.relay.close();
    await this.fake.close();
  }

  /** Posts a body, which the fake answers by the script. */
  post(script: Script, body: object, path: string): Promise<Response> {
    this.fake.next(script);
    return fetch(this.relay.url + path, { method: 'POST', body: JSON.stringify(body) });
  }

  /** The same for a reply that is one JSON object. */
  async postJson(script: Script, body: object, path: string): Promise<JsonReply> {
    const response = await this.post(script, body, path);
    const reply = (await response.json()) as Record<string, unknown>;
    return { status: response.status, reply, headers: response.headers };
  }
}

/** To be called in a `describe`: opens before each of its tests and closes after it. */
export function useRelay(): RelaySuite {
  const suite = new RelaySuite();
  beforeEach(() => suite.open());
  afterEach(() => suite.close());
  return suite;
}

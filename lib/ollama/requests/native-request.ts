/** How much text and how many images a request carries: what estimates and bounds are made from. */
export interface PromptMeasure {
  /** UTF-8 bytes of every string that goes upstream, and of every object as Ollama writes it. */
  readonly textBytes: number;
  /** Of a chat; of /api/embed the texts, each of which the model reads as a prompt of its own. */
  readonly messages: number;
  readonly images: number;
  /** Numbers in `context` of /api/generate. */
  readonly contextNumbers: number;
  /** It brings a template of its own, a program that can make of the rest any number of tokens. */
  readonly template: boolean;
}

/** A native request, checked and made anew from known fields (SPEC §2.1). Plain data. */
export interface NativeRequest {
  /** The client's spelling of the model; never sent on. */
  readonly model: string;
  /** What the client asked for; the upstream always streams chat and generate. */
  readonly streamed: boolean;
  /**
   * JSON members that go upstream as they are, without braces: `"messages":[…],"tools":[…]`, or
   * empty. Never holds model, stream, options, keep_alive, shift or _debug_render_only.
   */
  readonly members: Uint8Array;
  /** Known options with values of the right type; which of them are sent is decided later. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Only sent for tenants that may set runtime options. */
  readonly keepAlive: string | number | null;
  readonly shift: boolean | null;
  /** Ollama's load and unload commands: an empty prompt or no messages. Answered by the gateway. */
  readonly idle: 'load' | 'unload' | null;
  readonly measure: PromptMeasure;
}

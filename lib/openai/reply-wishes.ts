/** What a client of the OpenAI dialect asked of the reply's form. Plain data. */
export interface ReplyWishes {
  /** A last chunk of the stream tells the usage; never true where no stream was asked for. */
  readonly includeUsage: boolean;
  /** How vectors of embeddings are written; `float` for everything else. */
  readonly encoding: 'float' | 'base64';
}

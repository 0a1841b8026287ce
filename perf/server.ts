/** One of the servers that are compared. */
export interface Server {
  readonly name: string;
  readonly url: string;
  /** It speaks OpenAI's dialect before an upstream that does not. */
  readonly translates?: boolean;
  /** Sent with each request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whose CPU time counts, with all below it; none for the direct call. */
  readonly pid: number | undefined;
  /** Its version and settings, for the report. */
  readonly facts: string;
  /** Called with the number of requests answered so far; waits until its bookkeeping has caught up. */
  settle?(answered: number): Promise<void>;
  /** CPU time of what it keeps its books with, by name: pids. */
  readonly stores?: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

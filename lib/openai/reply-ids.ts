/** Names of one reply, all made from the id of its request (SPEC §8: unique, of 24 letters). */
export interface ReplyIds {
  /** `chatcmpl-…` */
  readonly chat: string;
  /** `cmpl-…` */
  readonly completion: string;
  /** Of tool calls that the model server gave no id; their index follows. */
  readonly callPrefix: string;
  /** Unix seconds of the request, where the model server tells no time. */
  readonly createdS: number;
}

/** The first 32 of a UUIDv7's bits are the time in 65 s and add nothing: they are left out. */
const LEFT_OUT = 8;
const TIME_DIGITS = 12;

/** `admissionId`: a UUIDv7. */
export function makeReplyIds(admissionId: string): ReplyIds {
  const digits = admissionId.replaceAll('-', '');
  const own = digits.slice(LEFT_OUT);
  return {
    chat: `chatcmpl-${own}`,
    completion: `cmpl-${own}`,
    callPrefix: `call_${own}`,
    createdS: Math.floor(Number.parseInt(digits.slice(0, TIME_DIGITS), 16) / 1_000),
  };
}

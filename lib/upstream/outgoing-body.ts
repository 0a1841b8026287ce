import { Readable } from 'node:stream';

/** The body of a request, held until it was sent. */
export interface OutgoingBody {
  readonly bytes: Uint8Array;
  /** The bytes are not needed any more. */
  drop(): void;
}

/** undici keeps what it is given whole until the reply has ended: no more than this. */
const MAX_WHOLE_BYTES = 32_768;
const SLICE_BYTES = 262_144;

export function isLarge(body: OutgoingBody): boolean {
  return body.bytes.length > MAX_WHOLE_BYTES;
}

/**
 * A large body in slices, as fast as the socket takes them, and dropped after the last: its reply
 * may take half an hour. Destroyed before its end it leaves the body for another attempt.
 */
export function streamBody(body: OutgoingBody): Readable {
  let sent = 0;
  const stream = new Readable({
    highWaterMark: SLICE_BYTES,
    read() {
      const { bytes } = body;
      const slice = bytes.subarray(sent, sent + SLICE_BYTES);
      sent += slice.length;
      this.push(slice.length > 0 ? slice : null);
    },
  });
  stream.once('end', () => {
    body.drop();
  });
  // undici destroys it with the error of its request, of which the attempt hears itself.
  stream.on('error', () => undefined);
  return stream;
}

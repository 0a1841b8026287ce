import type { LineFacts } from '../../ollama/replies/line-facts.ts';
import type { StreamState } from './frames.ts';
import { makeFrames } from './make-frames.ts';
import type { FramesSpec } from './make-frames.ts';

/** A line of a stream that another thread translates. Plain data. */
export interface LargeLine {
  readonly spec: FramesSpec;
  readonly state: StreamState;
  readonly line: Uint8Array;
}

/** Its frames, and where the stream stands after them. */
export interface LargeFrames {
  readonly frames: Uint8Array;
  readonly facts: LineFacts;
  readonly state: StreamState;
}

/** The thread's half; null: it is no JSON object. */
export function frameLargeLine({ spec, state, line }: LargeLine): LargeFrames | null {
  const frames = makeFrames(spec, state);
  const text = Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString();
  const framed = frames.frame(text);
  if (!framed) return null;
  return { frames: Buffer.from(framed.frames), facts: framed.facts, state: frames.state };
}

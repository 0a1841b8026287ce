import { expect } from 'chai';
import { rebuildOpenAiEmbeddings } from '../../../lib/openai/replies/rebuild-embeddings.ts';
import { listModels } from '../../../lib/openai/replies/models.ts';
import type { ListedModel } from '../../../lib/openai/replies/models.ts';
import { parseFrames, readReplyCases, toLineText } from '../../support/openai-reply-cases.ts';
import type { ReplyCase } from '../../support/openai-reply-cases.ts';
import { openFrames, playStream, playWhole } from '../../support/play-openai-reply.ts';
import type { Way } from '../../support/play-openai-reply.ts';

const files = readReplyCases();

describe('openai/replies: what an OpenAI client gets for native lines', () => {
  it('the cases are there, each with a sentence of its own in its file', () => {
    const all = [...files.values()].flat();
    expect(all.length).to.be.at.least(70);
    for (const cases of files.values()) {
      expect(new Set(cases.map(({ shows }) => shows)).size).to.equal(cases.length);
    }
  });

  for (const [name, cases] of files) {
    describe(name, () => {
      for (const one of cases) {
        it(one.shows, () => {
          check(one);
        });
      }
    });
  }
});

function check(one: ReplyCase): void {
  const lines = one.lines.map(toLineText);
  if (one.frames) {
    const text = play(one, lines, 'plain');
    expect(parseFrames(text)).to.deep.equal(one.frames);
    // Nobody sees whether a line was parsed, or where.
    expect(play(one, lines, 'parsed')).to.equal(text);
    expect(play(one, lines, 'resumed')).to.equal(text);
    return;
  }
  expect(JSON.parse(makeBody(one, lines))).to.deep.equal(one.object);
}

function play({ endpoint, wishes }: ReplyCase, lines: readonly string[], way: Way): string {
  if (endpoint !== 'chat' && endpoint !== 'completion') throw new Error(`no stream: ${endpoint}`);
  const open = openFrames.bind(null, endpoint, wishes.includeUsage);
  return playStream(open(), lines, way, open);
}

function makeBody({ endpoint, wishes, lines: given }: ReplyCase, lines: readonly string[]): string {
  if (endpoint === 'models') return JSON.stringify(listModels(given as ListedModel[]));
  if (endpoint !== 'embeddings') return playWhole(endpoint, lines);
  const bytes = Buffer.from(lines.join(''));
  const { embeddings } = JSON.parse(bytes.toString()) as { embeddings: unknown[] };
  const options = { model: 'My-Model', encoding: wishes.encoding, inputs: embeddings.length };
  const reply = rebuildOpenAiEmbeddings(bytes, options);
  return Buffer.from(reply?.body ?? []).toString();
}

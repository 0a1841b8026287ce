import { expect } from 'chai';
import { charge, measureProgress } from '../../../lib/settlement/charge.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import type { Tally } from '../../../lib/upstream/tally.ts';
import { sampleCall } from '../../support/sample-request.ts';

const LEASE = { numPredict: 100, promptBoundTokens: 1_000 };
const EMBEDDING = { numPredict: null, promptBoundTokens: 1_000 };
// 10 bytes of text are 3 tokens, two messages 16.
const ESTIMATED_PROMPT = 19;

const tallied = (changes: Partial<Tally>): Tally => ({
  ...startTally(),
  written: true,
  ...changes,
});

describe('settlement/charge', () => {
  it('charges nothing for what never reached an upstream', () => {
    expect(charge(sampleCall(), LEASE, startTally())).to.deep.equal({
      promptTokens: 0,
      completionTokens: 0,
      chargedTokens: 0,
      countSource: 'none',
    });
  });

  it('takes the counts that the upstream reported', () => {
    const tally = tallied({
      outputLines: 3,
      reported: { promptTokens: 12, completionTokens: 34 },
    });
    expect(charge(sampleCall(), LEASE, tally)).to.deep.equal({
      promptTokens: 12,
      completionTokens: 34,
      chargedTokens: 46,
      countSource: 'reported',
    });
  });

  it('counts lines and estimates the prompt where the client left early', () => {
    expect(charge(sampleCall(), LEASE, tallied({ outputLines: 7 }))).to.deep.equal({
      promptTokens: ESTIMATED_PROMPT,
      completionTokens: 7,
      chargedTokens: ESTIMATED_PROMPT + 7,
      countSource: 'estimated',
    });
  });

  it('marks a count as estimated when only half of it was told', () => {
    const prompt = tallied({
      outputLines: 2,
      reported: { promptTokens: 5, completionTokens: null },
    });
    expect(charge(sampleCall(), LEASE, prompt)).to.include({
      promptTokens: 5,
      completionTokens: 2,
      countSource: 'estimated',
    });
    const output = tallied({
      outputLines: 2,
      reported: { promptTokens: null, completionTokens: 9 },
    });
    expect(charge(sampleCall(), LEASE, output)).to.include({
      promptTokens: ESTIMATED_PROMPT,
      completionTokens: 9,
      countSource: 'estimated',
    });
  });

  it('charges an embedding for its prompt alone, however many lines it has', () => {
    const call = sampleCall({ route: 'embed' });
    const told = tallied({ outputLines: 1, reported: { promptTokens: 5, completionTokens: null } });
    expect(charge(call, EMBEDDING, told)).to.deep.equal({
      promptTokens: 5,
      completionTokens: 0,
      chargedTokens: 5,
      countSource: 'reported',
    });
    expect(charge(call, EMBEDDING, tallied({ outputLines: 1 }))).to.include({
      completionTokens: 0,
      countSource: 'estimated',
    });
  });

  it('never charges more output than was granted, though the row tells what was reported', () => {
    const tally = tallied({ reported: { promptTokens: 1, completionTokens: 5_000 } });
    expect(charge(sampleCall(), LEASE, tally)).to.include({
      completionTokens: 5_000,
      chargedTokens: 101,
    });
  });

  it('never charges more prompt than is held for it, nor output of what may generate none', () => {
    const tally = tallied({ reported: { promptTokens: 7_000, completionTokens: 3 } });
    expect(charge(sampleCall(), LEASE, tally)).to.include({
      promptTokens: 7_000,
      chargedTokens: 1_003,
    });
    expect(charge(sampleCall({ route: 'embed' }), EMBEDDING, tally).chargedTokens).to.equal(1_000);
  });

  it('tells a running request’s progress as it would be charged', () => {
    const call = sampleCall();
    expect(measureProgress(call, LEASE, startTally())).to.deep.equal({
      promptTokens: 0,
      completionTokens: 0,
    });
    expect(measureProgress(call, LEASE, tallied({ outputLines: 7 }))).to.deep.equal({
      promptTokens: ESTIMATED_PROMPT,
      completionTokens: 7,
    });
    const narrow = { numPredict: 5, promptBoundTokens: 4 };
    expect(measureProgress(call, narrow, tallied({ outputLines: 7 }))).to.deep.equal({
      promptTokens: 4,
      completionTokens: 5,
    });
  });

  it('makes a whole number of whatever the upstream calls a count', () => {
    const lies = tallied({ reported: { promptTokens: -7, completionTokens: 2.9 } });
    expect(charge(sampleCall(), LEASE, lies)).to.include({ promptTokens: 0, completionTokens: 2 });
    const huge = tallied({ reported: { promptTokens: 1e300, completionTokens: NaN } });
    expect(charge(sampleCall(), LEASE, huge)).to.include({
      promptTokens: 1_000_000_000,
      completionTokens: 0,
    });
  });
});

import { expect } from 'chai';
import { makeTroubleLines } from '../../../lib/log/trouble-lines.ts';
import type { TroubleLines } from '../../../lib/log/trouble-lines.ts';
import { recordLog } from '../../support/record-log.ts';
import type { RecordedLine } from '../../support/record-log.ts';

const WORDS = { lostEvent: 'lost', lost: 'it is lost', backEvent: 'back', back: 'it is back' };
const REFUSED = Object.assign(new Error('secret'), { code: 'ECONNREFUSED' });
const RESET = Object.assign(new Error('secret'), { code: 'ECONNRESET' });

describe('log/trouble-lines', () => {
  let nowMs: number;
  let lines: readonly RecordedLine[];
  let trouble: TroubleLines;

  beforeEach(() => {
    nowMs = 5_000;
    const recorded = recordLog();
    lines = recorded.lines;
    const clock = { wallMs: () => 0, monotonicMs: () => nowMs };
    trouble = makeTroubleLines(clock, recorded.log, WORDS);
  });

  function failFor(seconds: number): void {
    for (let n = 0; n < seconds * 4; n += 1) {
      trouble.failed(REFUSED);
      nowMs += 250;
    }
  }

  it('tells what fails all day once, and then once a minute with how often it was', () => {
    failFor(180);
    expect(lines.map(({ event, unsaid }) => [event, unsaid])).to.deep.equal([
      ['lost', 0],
      ['lost', 239],
      ['lost', 239],
    ]);
    expect(lines[0]).to.include({ level: 'warn', message: 'it is lost' });
    expect(JSON.stringify(lines)).to.not.include('secret');
  });

  it('tells at once when it fails in another way, with other words where there are some', () => {
    failFor(1);
    trouble.failed(RESET, 'for another reason');
    expect(lines.map((line) => [line['error.code'], line.message])).to.deep.equal([
      ['ECONNREFUSED', 'it is lost'],
      ['ECONNRESET', 'for another reason'],
    ]);
  });

  it('tells that it works again, once, and then the next failure at once', () => {
    trouble.works();
    expect(lines).to.deep.equal([]);
    failFor(1);
    trouble.works();
    trouble.works();
    failFor(1);
    expect(lines.map(({ event }) => event)).to.deep.equal(['lost', 'back', 'lost']);
    expect(lines[2]).to.include({ unsaid: 3 });
  });

  it('has few lines for what comes and goes all the time', () => {
    for (let n = 0; n < 1_000; n += 1) {
      trouble.failed(n % 2 === 0 ? REFUSED : RESET);
      trouble.works();
      nowMs += 50;
    }
    expect(lines.length).to.be.within(10, 24);
  });
});

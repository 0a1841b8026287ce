import { expect } from 'chai';
import { FaultSteps } from '../../support/fault-steps.ts';
import type { HeldStep, Meeting } from '../../support/fault-steps.ts';
import type { Command } from '../../support/wire.ts';

const HELD: HeldStep = { command: '', args: [], pass: () => undefined, cut: () => undefined };

function command(name: string, ...args: readonly string[]): Command {
  return { bytes: Buffer.alloc(0), name, args, answered: true };
}

const sizes = ({ before, after }: Meeting): number[] => [before.length, after.length];

describe('support/fault-steps', () => {
  let steps: FaultSteps;
  beforeEach(() => {
    steps = new FaultSteps();
  });
  afterEach(() => {
    steps.fail(new Error('the end'));
  });

  it('hits the nth of those that the name and the filter mean, and only that', async () => {
    const seen: string[] = [];
    const hit = steps.at(
      { command: 'settle', nth: 2, when: 'before', filter: ([key]) => key === 'a' },
      () => {
        seen.push('act');
      },
    );
    const met = ['x', 'a', 'b', 'a', 'a'].map((key) => steps.meet(command('settle', key)));
    expect(met.map(sizes)).to.deep.equal([0, 0, 0, 1, 0].map((count) => [count, 0]));
    await met[3]?.before[0]?.act(HELD);
    await hit;
    expect(seen).to.deep.equal(['act']);
    expect(sizes(steps.meet(command('settle', 'a')))).to.deep.equal([0, 0]);
  });

  it('means whole words, of SQL as many as are told', () => {
    void steps.at({ command: 'insert into t', when: 'before' }, () => undefined);
    const names = ['insert', 'insert into t2', 'insert into t (a) values'];
    expect(names.map((name) => sizes(steps.meet(command(name)))[0])).to.deep.equal([0, 0, 1]);
    void steps.at({ command: 'commit', when: 'after' }, () => undefined);
    const met = ['committed', 'commit;'].map((name) => sizes(steps.meet(command(name)))[1]);
    expect(met).to.deep.equal([0, 1]);
  });

  it('does not count a script that Redis did not know, for it comes again', () => {
    void steps.at({ command: 'fill', when: 'after' }, () => undefined);
    void steps.at({ command: 'fill', nth: 2, when: 'before' }, () => undefined);
    const first = steps.meet(command('fill'));
    expect(sizes(first)).to.deep.equal([0, 1]);
    first.forget();
    expect(sizes(steps.meet(command('fill')))).to.deep.equal([0, 1]);
    expect(sizes(steps.meet(command('fill')))).to.deep.equal([1, 0]);
  });

  it('waits for the next one after a reply was lost with its connection', () => {
    void steps.at({ command: 'fill', when: 'after' }, () => undefined);
    steps.meet(command('fill')).lose();
    expect(sizes(steps.meet(command('fill')))).to.deep.equal([0, 1]);
  });

  it('rejects when the step is not hit in time, and says how far it came', async () => {
    const late = steps.at({ command: 'fill', nth: 2, when: 'after' }, () => undefined, 20);
    const met = steps.meet(command('fill'));
    const error = await late.catch((thrown: unknown) => thrown);
    expect(error).to.have.property('message').that.contains('after fill, 1 of 2 seen');
    met.lose();
  });

  it('does nothing for a step that was hit too late', async () => {
    let acts = 0;
    const late = steps.at({ command: 'fill', when: 'after' }, () => void (acts += 1), 20);
    const met = steps.meet(command('fill'));
    await late.catch(() => undefined);
    await met.after[0]?.act(HELD);
    expect(acts).to.equal(0);
  });

  it('hands on the error of what was to be done', async () => {
    const hit = steps.at({ command: 'fill', when: 'before' }, () => {
      throw new Error('no such process');
    });
    await steps.meet(command('fill')).before[0]?.act(HELD);
    expect(await hit.catch(String)).to.equal('Error: no such process');
  });
});

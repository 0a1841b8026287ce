import { expect } from 'chai';
import { measureDistance } from '../../../lib/config/edit-distance.ts';

describe('config/edit-distance', () => {
  const cases: [string, string, number][] = [
    ['', '', 0],
    ['same', 'same', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['port', 'ports', 1],
    ['port', 'sort', 1],
    ['kitten', 'sitting', 3],
  ];
  for (const [from, to, distance] of cases) {
    it(`is ${distance} from "${from}" to "${to}", and back`, () => {
      expect(measureDistance(from, to)).to.equal(distance);
      expect(measureDistance(to, from)).to.equal(distance);
    });
  }
});

import { expect } from 'chai';
import { deriveSlug, isSlug } from '../../../lib/tenants/slug.ts';

describe('tenants/slug', () => {
  it('makes a slug of what people call a company', () => {
    expect(deriveSlug('Acme')).to.equal('acme');
    expect(deriveSlug('Büro Köln & Söhne GmbH')).to.equal('buro-koln-sohne-gmbh');
    expect(deriveSlug('  --Straße 7--  ')).to.equal('strasse-7');
  });

  it('gives up where too little is left, for a slug is not guessed', () => {
    expect(deriveSlug('日本')).to.equal(undefined);
    expect(deriveSlug('A!')).to.equal(undefined);
    expect(deriveSlug('')).to.equal(undefined);
  });

  it('never makes one that the schema would refuse, not even of a long name', () => {
    const slug = deriveSlug(`${'a'.repeat(39)} b`);
    expect(slug).to.equal('a'.repeat(39));
    expect(isSlug(deriveSlug('x'.repeat(500)) ?? '')).to.equal(true);
  });
});

const SLUG = /^[a-z0-9-]{2,40}$/;

/** The rule of SPEC §3, as the schema checks it. */
export function isSlug(text: string): boolean {
  return SLUG.test(text);
}

/**
 * A slug made of a name: "Büro Köln GmbH" → "buro-koln-gmbh". undefined where too little is left of
 * the name to make one.
 */
export function deriveSlug(name: string): string | undefined {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replaceAll('ß', 'ss')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-|-$/g, '');
  return isSlug(slug) ? slug : undefined;
}

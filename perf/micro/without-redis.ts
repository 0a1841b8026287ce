import { registerHooks } from 'node:module';

/** Loaded before the product by NODE_OPTIONS: its workers then get the ledger that asks nobody. */
registerHooks({
  resolve: (specifier, context, next) => {
    const resolved = next(specifier, context);
    return resolved.url.endsWith('/lib/ledger/ledger.js')
      ? { ...resolved, url: new URL('./ledger-without-redis.js', import.meta.url).href }
      : resolved;
  },
});

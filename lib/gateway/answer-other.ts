import type { Confirm } from '../auth/confirm.ts';
import type { Principal } from '../auth/principal.ts';
import {
  describeVersion,
  findEffective,
  listEffective,
  listRunning,
  listTags,
  showModel,
} from '../discovery/listings.ts';
import type { Listing } from '../discovery/listings.ts';
import type { CallReader } from '../http/read-call.ts';
import type { Exchange } from '../http/exchange.ts';
import { toRouteRefusal } from '../http/read-route.ts';
import { sendJson } from '../http/reply.ts';
import { describeModel, listModels } from '../openai/replies/models.ts';
import type { OtherRoute } from './stages.ts';

export interface OtherParts {
  readonly listing: Listing;
  readonly reader: Pick<CallReader, 'readShow'>;
  readonly confirm: Confirm;
  readonly describeKey: (principal: Principal) => Promise<object>;
}

/**
 * Listings from the snapshot, cut to what the caller may use, and the caller's own limits. Throws for
 * routes that are blocked or unknown: only a known key is told which.
 */
export async function answerOther(
  { listing, reader, confirm, describeKey }: OtherParts,
  exchange: Exchange,
  route: OtherRoute,
  principal: Principal,
): Promise<void> {
  if (route.kind !== 'listing') throw toRouteRefusal(route);
  switch (route.name) {
    case 'tags':
      sendJson(exchange, 200, listTags(listing, principal));
      return;
    case 'ps':
      sendJson(exchange, 200, listRunning(listing, principal));
      return;
    case 'version':
      sendJson(exchange, 200, describeVersion(listing));
      return;
    case 'key':
      sendJson(exchange, 200, await describeKey(principal));
      return;
    case 'models':
      sendJson(exchange, 200, listModels(listEffective(listing, principal)));
      return;
    case 'model':
      sendJson(
        exchange,
        200,
        describeModel(findEffective(listing, principal, route.modelId), route.modelId),
      );
      return;
    case 'show': {
      const { model } = await reader.readShow(exchange, principal.tenant.tenantId);
      const caller = await confirm(exchange, principal);
      sendJson(exchange, 200, showModel(listing, caller, model));
    }
  }
}

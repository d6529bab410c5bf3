import { sql as custodyLog } from "./0001-custody-log.ts";
import { sql as evidence } from "./0002-evidence.ts";
import { sql as decisions } from "./0003-decisions.ts";
import { sql as tokens } from "./0004-tokens.ts";
import { sql as identities } from "./0005-identities.ts";
import { sql as agentRevocations } from "./0006-agent-revocations.ts";
import { sql as approvals } from "./0007-approvals.ts";
import { sql as containment } from "./0008-containment.ts";
import { sql as endingVerdicts } from "./0009-ending-verdicts.ts";
import { sql as witnesses } from "./0010-witnesses.ts";
import { sql as revocations } from "./0011-revocations.ts";
import { sql as retention } from "./0012-retention.ts";
import { sql as custody } from "./0013-custody.ts";
import { sql as identityRevocations } from "./0015-identity-revocations.ts";
import { sql as quarantines } from "./0016-quarantines.ts";
import { sql as federation } from "./0017-federation.ts";
import { sql as inventory } from "./0019-inventory.ts";
import { sql as usedTokens } from "./0020-used-tokens.ts";
import { sql as projects } from "./0021-projects.ts";
import { sql as suspensions } from "./0022-suspensions.ts";

export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** In the order in which they are applied. A text that was released is never edited: a new one follows it. */
export const MIGRATIONS: readonly Migration[] = [
  { name: "0001-custody-log", sql: custodyLog },
  { name: "0002-evidence", sql: evidence },
  { name: "0003-decisions", sql: decisions },
  { name: "0004-tokens", sql: tokens },
  { name: "0005-identities", sql: identities },
  { name: "0006-agent-revocations", sql: agentRevocations },
  { name: "0007-approvals", sql: approvals },
  { name: "0008-containment", sql: containment },
  { name: "0009-ending-verdicts", sql: endingVerdicts },
  { name: "0010-witnesses", sql: witnesses },
  { name: "0011-revocations", sql: revocations },
  { name: "0012-retention", sql: retention },
  { name: "0013-custody", sql: custody },
  { name: "0015-identity-revocations", sql: identityRevocations },
  { name: "0016-quarantines", sql: quarantines },
  { name: "0017-federation", sql: federation },
  { name: "0019-inventory", sql: inventory },
  { name: "0020-used-tokens", sql: usedTokens },
  { name: "0021-projects", sql: projects },
  { name: "0022-suspensions", sql: suspensions },
];

import type { Role } from "../../client/types.ts";

/** What the help of a command teaches besides its options. */
export interface Guide {
  /** The route of the server that it asks first, of which `roles` are those that may; absent: it asks no server. */
  readonly asks?: string;
  readonly roles?: readonly Role[];
  /** Whether the roles count in the project `default` alone: what it asks about is the installation's. */
  readonly installation?: boolean;
  /** Calls to start from, as in a shell. */
  readonly examples: readonly string[];
  /** What status 0 and status 1 mean, where they mean more than done and refused. */
  readonly done?: string;
  readonly refused?: string;
  /** What status 3 means of a command that asks no server of its own. */
  readonly failed?: string;
  /** Why `--json` changes nothing. */
  readonly noJson?: string;
}

/** Whom it takes to run it. */
export function needsOf({ asks, roles, installation = false }: Guide): string {
  if (asks === undefined) return "no server";
  if (roles === undefined) return "a server, and no token";
  const where = installation ? ", in the project default" : "";
  return `a server, and the role ${listed(roles)}${where}`;
}

/** What its exit status says. */
export function statusOf(guide: Guide): string {
  const { asks, done = "done", refused = "refused" } = guide;
  const { failed = asks && "no answer from the server" } = guide;
  return `0 ${done}; 1 ${refused}; 2 the call or a file is wrong${failed === undefined ? "" : `; 3 ${failed}`}`;
}

function listed(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

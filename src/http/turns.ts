import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from "fastify";
import { VouchsafeError } from "../errors.ts";
import { createFairShares } from "../fair-shares.ts";
import { networkOf } from "../ip-address.ts";
import { whenGone } from "./when-gone.ts";

/**
 * What a call of a route takes of the node while it is under way. `nothing`: it is answered from memory or bounds
 * itself. Routes that say nothing are reads, or public ones.
 */
export type Cost = "nothing" | "public" | "read" | "write" | "export" | "simulation" | "watch";
type Bounded = Exclude<Cost, "nothing">;

/** Calls that may be under way at once. */
export interface Bound {
  /** Of one caller, by its token; absent: no less than the node's. */
  readonly perCaller?: number;
  /** Of one project, or of one address without a credential, while no other has any: they share a node fairly, and have fewer than twice as many together. */
  readonly perNode: number;
  /** Milliseconds after which one is cut off, however slowly it is read; absent: never. */
  readonly longest?: number;
}
export type Bounds = Readonly<Record<Bounded, Bound>>;

declare module "fastify" {
  interface FastifyContextConfig {
    costs?: Cost;
  }
  interface FastifyRequest {
    turn: Turn | null;
  }
  interface FastifyInstance {
    /** Of every route, as `METHOD /path`. */
    routeLimits: Map<string, { readonly cost: Cost /** Bytes. */; readonly body: number }>;
  }
}

/** Held from when the caller is known until the call is answered, or the caller gone, and nothing works on it any more. */
interface Turn {
  isWorkedOn: boolean;
  isOver: boolean;
  readonly giveBack: () => void;
}

/**
 * Bounds what is under way at once, of each caller, of its project and of all together, for every route that is registered after it.
 * What would be more is refused before its body is read: `rate-limited` where the caller has too much under way,
 * `unavailable` where all have. Needs `guardRoutes`, whose hooks say who calls.
 */
export function boundTurns(app: FastifyInstance, bounds: Bounds): void {
  app.decorateRequest("turn", null);
  app.decorate("routeLimits", new Map());
  const places = new Map(Object.entries(bounds).map(([cost, bound]) => [cost, createPlaces(bound)]));
  app.addHook("onRoute", (route) => {
    const cost = costOf(route);
    const body = route.bodyLimit ?? app.initialConfig.bodyLimit ?? 0;
    app.routeLimits.set(`${route.method} ${route.url}`, { cost, body });
    const take = places.get(cost);
    if (take === undefined) return;
    const takeTurn = (request: FastifyRequest, reply: FastifyReply) => {
      // An agent is known once its proof is judged, with the body.
      if (request.turn !== null || (request.caller === null && route.config?.access !== "public")) return;
      request.turn = held(take(request.caller ?? anybodyAt(request)), reply, bounds[cost as Bounded].longest);
    };
    const hook = async (request: FastifyRequest, reply: FastifyReply) => takeTurn(request, reply);
    route.onRequest = [route.onRequest ?? [], hook].flat();
    route.preHandler = [hook, route.preHandler ?? []].flat();
    const { handler } = route;
    route.handler = async function (request, reply) {
      const { turn } = request;
      if (turn === null) throw new VouchsafeError("internal", "A call was let in without its turn");
      turn.isWorkedOn = true;
      try {
        return await handler.call(this, request, reply);
      } finally {
        turn.isWorkedOn = false;
        if (turn.isOver) turn.giveBack();
      }
    };
  });
}

export function costOf({ config }: Pick<RouteOptions, "config">): Cost {
  return config?.costs ?? (config?.access === "public" ? "public" : "read");
}

function held(giveBack: () => void, reply: FastifyReply, longest: number | undefined): Turn {
  const cutOff = longest === undefined ? undefined : setTimeout(() => reply.raw.destroy(), longest).unref();
  const turn: Turn = { isWorkedOn: false, isOver: false, giveBack };
  // Also when the caller goes away before it is answered: work on it may then still go on, or only begin.
  whenGone(reply, () => {
    clearTimeout(cutOff);
    turn.isOver = true;
    if (!turn.isWorkedOn) giveBack();
  });
  return turn;
}

/** Who calls without a credential shares the node with others by where it calls from, as projects do. */
function anybodyAt({ ip }: FastifyRequest): Party {
  return { project: networkOf(ip) };
}

/** Who has its own share of the places, and its caller who counts in it. */
interface Party {
  readonly project: string;
  readonly token?: string;
}

/** Gives out places. To give one back again does nothing. */
function createPlaces({
  perCaller = Number.POSITIVE_INFINITY,
  perNode,
}: Bound): (party: Party) => () => void {
  const shares = createFairShares({ alone: perNode, each: perCaller });
  return ({ project, token }) => {
    const place = shares.take(project, token);
    if (place === "holder-full")
      throw new VouchsafeError(
        "rate-limited",
        `${perCaller} such calls of this caller are under way; let one end first`,
        { extensions: { retryAfter: 1 } },
      );
    if (place === "full")
      throw new VouchsafeError("unavailable", "Too many such calls are under way; try again shortly", {
        extensions: { retryAfter: 1 },
      });
    return place;
  };
}

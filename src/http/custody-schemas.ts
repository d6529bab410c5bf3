import { Type } from "typebox";
import { EVENT_TYPES, type EventType } from "../custody/events.ts";
import { closed, EVENT, LogSize, nullable, Time } from "./schemas.ts";

export const EVENT_TYPE_NAMES = Object.keys(EVENT_TYPES) as EventType[];
export const EventTypeName = Type.Enum(EVENT_TYPE_NAMES);

const { salt, leaf, ...SAID } = EVENT;

export const CustodyPage = closed({
  artifact: Type.String(),
  origin: Type.String(),
  treeSize: LogSize,
  time: Time,
  checkpoint: nullable(Type.String()),
  events: Type.Array(
    closed({
      ...SAID,
      chain: Type.Optional(
        Type.String({
          description: "the chain that it comes from where that is not the artifact's: another's, or *",
        }),
      ),
      salt: Type.Optional(salt),
      leaf: Type.Optional(leaf),
      inclusionProof: Type.Optional(Type.Array(Type.String())),
    }),
  ),
  next: nullable(Type.String()),
});

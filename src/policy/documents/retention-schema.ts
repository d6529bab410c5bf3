import { isMap, type Node } from "yaml";
import type { RetentionSpec } from "../retention.ts";
import { documentOf } from "./document.ts";
import {
  duration,
  isText,
  name,
  optional,
  type Reader,
  record,
  refuse,
  required,
  table,
  text,
} from "./readers.ts";

const DAY = 86_400_000;
const FOR_EVER = "forever";
const MAX_CLASSES = 64;

/** Bytes that are gone do not come back: a unit that was mistyped must not take them within a day. */
const keep: Reader<number> = (source, node, parent) => {
  if (isText(node) && node.value === FOR_EVER) return Number.POSITIVE_INFINITY;
  const read = duration(source, node, parent);
  if (read === undefined || read >= DAY) return read;
  return refuse(source, node, parent, "at least 1d");
};

const classes: Reader<ReadonlyMap<string, number>> = (source, node, parent) => {
  const read = table(record({ keep: required(keep) }))(source, node, parent);
  if (read === undefined) return undefined;
  if (read.size === 0 || read.size > MAX_CLASSES) {
    return refuse(source, node, parent, `1 to ${MAX_CLASSES} classes are expected`);
  }
  const named = keysOf(node).map((key) => name(source, key, parent));
  if (named.includes(undefined)) return undefined;
  return new Map([...read].map(([key, { keep }]) => [key, keep]));
};

function keysOf(node: Node | null): Node[] {
  return isMap<Node>(node) ? node.items.map(({ key }) => key) : [];
}

const writtenSpec = record({ default: optional(text), classes: required(classes) });

const spec: Reader<RetentionSpec> = (source, node, parent) => {
  const read = writtenSpec(source, node, parent);
  if (read?.default === undefined || read.classes.has(read.default)) return read;
  return refuse(
    source,
    node,
    parent,
    `\`default\` names the class \`${read.default}\`, which is not among \`classes\``,
  );
};

export const retentionDocument = documentOf(["RetentionPolicy"], spec);

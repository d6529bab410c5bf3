import type { Node } from "yaml";
import { offsetWithin, type YamlSource } from "../../yaml/source.ts";
import { compileExpression, ExpressionError, type Predicate } from "../cel.ts";
import type { Rule, SignerRule } from "../policy.ts";
import {
  isText,
  list,
  name,
  optional,
  pattern,
  type Reader,
  record,
  refuse,
  required,
  text,
} from "./readers.ts";

/** How many rules a policy has at most: each may take a million steps on each attestation. */
export const MAX_RULES = 64;

/** What names a certificate's holder. */
export const CERTIFIED = { issuer: optional(pattern), identity: optional(pattern), instance: optional(text) };

const writtenSigner = record({ ...CERTIFIED, key: optional(text) }, ({ issuer, identity, instance, key }) => {
  if (key !== undefined && (issuer ?? identity ?? instance) === undefined) return undefined;
  if (key === undefined && issuer !== undefined && identity !== undefined) return undefined;
  return "a signer is either `issuer` with `identity`, or `key`";
});

export const signer: Reader<SignerRule> = (source, node, parent) => {
  const written = writtenSigner(source, node, parent);
  if (written === undefined) return undefined;
  const { key, ...certified } = written;
  return key === undefined ? certifiedSigner(certified) : { case: "key", name: key };
};

/** The signer whom these members name. */
export function certifiedSigner({
  issuer,
  identity,
  instance,
}: Partial<Omit<Extract<SignerRule, { case: "certificate" }>, "case">>): SignerRule | undefined {
  return issuer && identity && { case: "certificate", issuer, identity, ...(instance && { instance }) };
}

/** A CEL expression, of which only `compile` knows what it may name. */
export function compiled<T>(
  source: YamlSource,
  node: Node | null,
  parent: Node,
  compile: (expression: string) => T,
): T | undefined {
  if (!isText(node)) return refuse(source, node, parent, "a CEL expression is expected");
  try {
    return compile(node.value);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return source.report(offsetWithin(source, node, error.offset), `bad CEL: ${error.message}`);
  }
}

const expression: Reader<{ expression: string; holds: Predicate }> = (source, node, parent) =>
  compiled(source, node, parent, (written) => ({ expression: written, holds: compileExpression(written) }));

const writtenRule = record({ name: required(name), cel: required(expression), message: optional(text) });

const rule: Reader<Rule> = (source, node, parent) => {
  const written = writtenRule(source, node, parent);
  if (written === undefined) return undefined;
  const { cel, ...rest } = written;
  return { ...rest, ...cel };
};

/** A list whose items have names of their own. */
export function named<T extends { readonly name: string }>(
  read: Reader<T>,
  most: number,
  what: string,
): Reader<readonly T[]> {
  return (source, node, parent) => {
    const items = list(read, most)(source, node, parent);
    const repeated = items?.find((one, index) => items.findIndex((other) => other.name === one.name) < index);
    if (repeated !== undefined) {
      return refuse(source, node, parent, `two ${what} are named \`${repeated.name}\``);
    }
    return items;
  };
}

export const rules: Reader<readonly Rule[]> = named(rule, MAX_RULES, "rules");

import { VouchsafeError } from "../errors.ts";
import { type CosignatureVerifier, parseCosignatureKey } from "./cosignature.ts";
import { type NoteVerifier, parseVerifierKey } from "./note.ts";

/**
 * Which witnesses there are, and which of them must have cosigned a checkpoint before it counts as witnessed
 * (c2sp.org/tlog-policy).
 */
export interface WitnessPolicy {
  /** The logs that it is for; empty: for any. */
  readonly logs: readonly NoteVerifier[];
  readonly witnesses: readonly Witness[];
  /** Undefined: no cosignature is asked for (`quorum none`). */
  readonly quorum: Quorum | undefined;
}

export interface Witness {
  /** By which the policy names it, which need not be its key's name. */
  readonly name: string;
  readonly verifier: CosignatureVerifier;
  /** Its submission prefix (c2sp.org/tlog-witness). Needed by who submits to it, and not to verify. */
  readonly url: string | undefined;
}

/** A witness, or a group of which at least `threshold` members must have witnessed. */
export type Quorum = Witness | Group;

export interface Group {
  readonly threshold: number;
  readonly members: readonly Quorum[];
}

/** The specification wants 32 of each to be possible. */
const MAX_LINES_OF_A_KIND = 64;
const MAX_LENGTH = 256 * 1024;

/**
 * Reads a policy file. Stricter than the specification in two things: the file is UTF-8, and its last line ends
 * in a newline too, so that a file that was cut off never names another quorum.
 *
 * Throws `invalid-request`, with the number of the line.
 */
export function parseWitnessPolicy(bytes: Uint8Array): WitnessPolicy {
  const lines = linesOf(bytes);
  const logs = new Map<string, NoteVerifier>();
  const witnesses = new Map<string, Witness>();
  const named = new Map<string, Quorum>();
  const members = new Set<string>();
  let quorum: { readonly rule: Quorum | undefined } | undefined;

  for (const [i, line] of lines.entries()) {
    const [keyword, ...items] = line.split(/[ \t]+/).filter((item) => item !== "");
    if (keyword === undefined || keyword.startsWith("#")) continue;
    try {
      if (keyword === "log") addLog(items);
      else if (keyword === "witness") addWitness(items);
      else if (keyword === "group") addGroup(items);
      else if (keyword === "quorum") setQuorum(items);
      else throw refusal("a line begins with log, witness, group or quorum");
    } catch (cause) {
      if (!(cause instanceof VouchsafeError)) throw cause;
      throw refusal(`Line ${i + 1} of the witness policy: ${cause.message}`, cause);
    }
  }
  if (quorum === undefined) throw refusal("The witness policy has no quorum line");
  return { logs: [...logs.values()], witnesses: [...witnesses.values()], quorum: quorum.rule };

  function addLog([key = "", , ...rest]: readonly string[]): void {
    refuseUnless(rest.length === 0, "a log has a key and perhaps a URL");
    const verifier = parseVerifierKey(key);
    addOnce(logs, publicKeyOf(key), verifier, "the log's key is there already");
  }

  function addWitness([name = "", key = "", url, ...rest]: readonly string[]): void {
    refuseUnless(rest.length === 0, "a witness has a name, a key and perhaps a URL");
    const witness = { name, verifier: parseCosignatureKey(key), url };
    define(name, witness);
    addOnce(witnesses, publicKeyOf(key), witness, "the witness's key is there already");
  }

  function addGroup([name = "", count = "", ...names]: readonly string[]): void {
    const found = names.map((member) => {
      refuseUnless(!members.has(member), `${member} is a member already`);
      members.add(member);
      return lookUp(member);
    });
    const threshold = count === "all" ? found.length : count === "any" ? 1 : Number(count);
    refuseUnless(/^(all|any|[1-9][0-9]{0,2})$/.test(count), "a group has all, any or a number of members");
    refuseUnless(threshold >= 1 && threshold <= found.length, "a group asks for as many as it has, or fewer");
    define(name, { threshold, members: found });
  }

  function setQuorum([name = "", ...rest]: readonly string[]): void {
    refuseUnless(quorum === undefined, "there is a quorum already");
    refuseUnless(rest.length === 0, "a quorum is one name");
    quorum = { rule: name === "none" ? undefined : lookUp(name) };
  }

  function define(name: string, rule: Quorum): void {
    refuseUnless(name !== "" && name !== "none", "this name is not to be given");
    addOnce(named, name, rule, `${name} is defined already`);
  }

  function lookUp(name: string): Quorum {
    const rule = named.get(name);
    if (rule === undefined) throw refusal(`${name} is not defined on a line before`);
    return rule;
  }
}

/** Whether these witnesses, by their policy's names, are enough. */
export function reachesQuorum({ quorum }: WitnessPolicy, cosigned: ReadonlySet<string>): boolean {
  return quorum === undefined || hasWitnessed(quorum, cosigned);
}

function hasWitnessed(rule: Quorum, cosigned: ReadonlySet<string>): boolean {
  if ("verifier" in rule) return cosigned.has(rule.name);
  return rule.members.filter((member) => hasWitnessed(member, cosigned)).length >= rule.threshold;
}

function linesOf(bytes: Uint8Array): string[] {
  refuseUnless(bytes.length <= MAX_LENGTH, "The witness policy is too long");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw refusal("The witness policy is not UTF-8", cause);
  }
  refuseUnless(
    !/[^\t\n\x20-\x7e\u0080-\u{10ffff}]/u.test(text),
    "The witness policy has a control character",
  );
  refuseUnless(text.endsWith("\n"), "The witness policy does not end in a newline: was it cut off?");
  return text.slice(0, -1).split("\n");
}

/** Two keys are the same when they wrap the same public key, whatever their names. */
function publicKeyOf(verifierKey: string): string {
  return verifierKey.slice(verifierKey.indexOf("+") + 10);
}

function addOnce<T>(map: Map<string, T>, key: string, value: T, problem: string): void {
  refuseUnless(!map.has(key), problem);
  refuseUnless(map.size < MAX_LINES_OF_A_KIND, `there are more than ${MAX_LINES_OF_A_KIND} of them`);
  map.set(key, value);
}

function refuseUnless(condition: boolean, message: string): asserts condition {
  if (!condition) throw refusal(message);
}

function refusal(message: string, cause?: unknown): VouchsafeError {
  return new VouchsafeError("invalid-request", message, { cause });
}

import { isHttpUrl } from "../http-url.ts";
import type { JsonValue } from "../in-toto-attestation/types.ts";

/** What a setting's values are, and how each is spelt: as text in a variable, and as a member of the file. */
export interface ValueType<T, Absent = undefined> {
  /** What a value must be: ends the sentence that refuses another, which never repeats the value. */
  readonly must: string;
  /** The value of a setting that is not given and has no default. */
  readonly absent: Absent;
  /** @param text not empty. Undefined: refused. */
  fromText(text: string): T | undefined;
  fromYaml(json: JsonValue): T | undefined;
  /** Text as YAML has it, for examples. */
  toYaml(text: string): string;
  /** May hold a password: it is shown to nobody. */
  readonly secret: boolean;
}

export const text: ValueType<string> = textual("must be a text", () => true);

export function textual(must: string, holds: (text: string) => boolean): ValueType<string> {
  const fromText = (text: string) => (holds(text) ? text : undefined);
  return {
    must,
    absent: undefined,
    fromText,
    fromYaml: (json) => (typeof json === "string" && json !== "" ? fromText(json) : undefined),
    toYaml: quoted,
    secret: false,
  };
}

/** Separated by commas in a variable, a list in the file. */
export function list(most = 256): ValueType<readonly string[], readonly string[]> {
  const must = `must be a list of at most ${most} texts, none of them empty`;
  return listOf(must, [], (items) => (items.length <= most ? items : undefined));
}

export function listOf<T>(
  must: string,
  absent: T,
  read: (items: readonly string[]) => T | undefined,
): ValueType<T, T> {
  return {
    must,
    absent,
    fromText: (text) => read(text.split(",").filter((item) => item !== "")),
    fromYaml: (json) =>
      Array.isArray(json) && json.every((item) => typeof item === "string" && item !== "")
        ? read(json.map(String))
        : undefined,
    toYaml: (text) => `[${text.split(",").map(quoted).join(", ")}]`,
    secret: false,
  };
}

/** @param unit what one of them is in the value that is read, e.g. 1000 of a setting in seconds for milliseconds */
export function integer(min: number, max: number, unit = 1): ValueType<number> {
  const within = (value: number) => (value >= min && value <= max ? value * unit : undefined);
  return {
    must: `must be a whole number from ${min} to ${max}`,
    absent: undefined,
    fromText: (text) => (/^(0|[1-9][0-9]{0,14})$/.test(text) ? within(Number(text)) : undefined),
    fromYaml: (json) => (Number.isSafeInteger(json) ? within(Number(json)) : undefined),
    toYaml: (text) => text,
    secret: false,
  };
}

export function oneOf<const T extends string>(...choices: readonly T[]): ValueType<T> {
  const fromText = (text: string) => choices.find((choice) => choice === text);
  return {
    must: `must be one of ${choices.join(", ")}`,
    absent: undefined,
    fromText,
    fromYaml: (json) => (typeof json === "string" ? fromText(json) : undefined),
    // YAML 1.1, which other tools still read, takes a bare `off` for false.
    toYaml: quoted,
    secret: false,
  };
}

/** 0 or 1 in a variable, false or true in the file. */
export const flag: ValueType<boolean> = {
  must: "must be 0 or 1 in the environment, false or true in the file",
  absent: undefined,
  fromText: (text) => (text === "0" || text === "1" ? text === "1" : undefined),
  fromYaml: (json) => (typeof json === "boolean" ? json : undefined),
  toYaml: (text) => String(text === "1"),
  secret: false,
};

export const port = integer(0, 65_535);

export const postgresUrl: ValueType<string> = {
  ...textual("must start with postgres://", (text) => /^postgres(ql)?:\/\//.test(text)),
  secret: true,
};

export const httpUrl = textual("must be an http:// or https:// URL", isHttpUrl);

/** OpenID Connect Discovery 1.0 §4.1: what follows it is put at its end. */
export const issuer = textual(
  "must be an https:// URL without query and fragment, and without a slash at its end",
  (text) => text.length <= 512 && /^https:\/\/[^/?#@]+(\/[^?#]*[^/?#])?$/.test(text) && URL.canParse(text),
);

/** A TypeURI (in-toto/attestation spec/v1/field_types.md) to which the paths of policies can be added. */
export const typeUri = textual(
  "must be a URI whose scheme and host are in lower case, without query and fragment",
  (uri) => {
    const [, authority = ""] = /^[a-z][a-z0-9+.-]*:\/\/([^/]*)/.exec(uri) ?? [];
    const isLower = authority === authority.toLowerCase();
    return (
      isLower && /^[a-z][a-z0-9+.-]*:[A-Za-z0-9._~:/@!$&'()*,;=%-]{1,1000}$/.test(uri) && URL.canParse(uri)
    );
  },
);

function quoted(text: string): string {
  return /^[A-Za-z.][A-Za-z0-9./_-]*$/.test(text) && !/^(on|off|yes|no|true|false|null)$/i.test(text)
    ? text
    : JSON.stringify(text);
}

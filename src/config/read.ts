import type { JsonValue } from "../in-toto-attestation/types.ts";
import { suggestion } from "../yaml/suggestion.ts";
import { readConfigFile } from "./file.ts";
import { SETTING_LIST, type SettingName, type Settings } from "./settings.ts";

/** Where a setting's value came from. */
export type Origin = "environment" | "file" | "default";

export interface ReadSettings {
  readonly settings: Settings;
  readonly origins: Readonly<Record<SettingName, Origin>>;
  /** What was given, as it was written there; undefined of a default. */
  readonly given: Readonly<Record<SettingName, JsonValue | undefined>>;
  /** Of both places, all of them; where there are any, the settings are not to be used. */
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the command line and the client read. */
const OTHERS = ["VOUCHSAFE_CONFIG", "VOUCHSAFE_SERVER", "VOUCHSAFE_TOKEN", "VOUCHSAFE_TOKEN_FILE"];
/** What Kubernetes and Docker's links set in each container beside a service that is called `vouchsafe`. */
const SERVICE_LINK = /^VOUCHSAFE_(SERVICE_(HOST|PORT)(_.*)?|PORT(_[0-9]+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$/;

/** Reads each setting from its variable, or else from the file that VOUCHSAFE_CONFIG names. An empty variable is none. */
export function readSettings(env: Environment): ReadSettings {
  const paths = SETTING_LIST.map(([, { yaml }]) => yaml);
  const path = env.VOUCHSAFE_CONFIG || undefined;
  const file = path === undefined ? undefined : readConfigFile(path, paths);
  const mistakes: string[] = [];
  const read = SETTING_LIST.map(([name, setting]): [SettingName, unknown, Origin, JsonValue?] => {
    const inFile = file?.values.get(setting.yaml);
    const fromFile = inFile && setting.type.fromYaml(inFile.json);
    if (inFile !== undefined && fromFile === undefined) inFile.report(`${setting.yaml} ${setting.type.must}`);
    const text = env[setting.env] || undefined;
    const fromText = text === undefined ? undefined : setting.type.fromText(text);
    if (text !== undefined && fromText === undefined) mistakes.push(`${setting.env} ${setting.type.must}`);
    // The environment wins: it is nearer to the process.
    if (text !== undefined) return [name, fromText ?? setting.fallback, "environment", text];
    return inFile === undefined
      ? [name, setting.fallback, "default"]
      : [name, fromFile ?? setting.fallback, "file", inFile.json];
  });
  return {
    settings: Object.fromEntries(read.map(([name, value]) => [name, value])) as Settings,
    origins: Object.fromEntries(read.map(([name, , origin]) => [name, origin])) as ReadSettings["origins"],
    given: Object.fromEntries(read.map(([name, , , given]) => [name, given])) as ReadSettings["given"],
    mistakes: [...mistakes, ...(file?.mistakes() ?? [])],
    warnings: misspelt(env),
  };
}

function misspelt(env: Environment): string[] {
  const known = SETTING_LIST.map(([, setting]) => setting.env).filter((name) =>
    name.startsWith("VOUCHSAFE_"),
  );
  return Object.keys(env)
    .filter((name) => name.startsWith("VOUCHSAFE_") && !SERVICE_LINK.test(name))
    .filter((name) => !known.includes(name) && !OTHERS.includes(name))
    .map((name) => {
      const meant = suggestion(name, known);
      return `${name} is no setting${meant.startsWith(":") ? meant : ", and is ignored"}`;
    });
}

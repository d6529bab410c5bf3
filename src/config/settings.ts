import type { Setting } from "./setting.ts";
import { IDENTITIES } from "./settings/identities.ts";
import { JUDGING } from "./settings/judging.ts";
import { LIMITS } from "./settings/limits.ts";
import { LOG } from "./settings/log.ts";
import { OUTBOUND } from "./settings/outbound.ts";
import { SERVING } from "./settings/serving.ts";

/**
 * Every setting of the server: one line each in the file of its theme, from which its variable, its place in the
 * file, its type in `Config` and its documentation come (`UPDATE_GOLDEN=1 npm test -- test/config` writes that).
 */
export const SETTINGS = { ...SERVING, ...LOG, ...IDENTITIES, ...JUDGING, ...OUTBOUND, ...LIMITS };

export type SettingName = keyof typeof SETTINGS;
/** The value of each setting. */
export type Settings = {
  readonly [Name in SettingName]: (typeof SETTINGS)[Name] extends Setting<infer T> ? T : never;
};

/** In the order in which they are documented. */
export const SETTING_LIST = Object.entries(SETTINGS) as [SettingName, Setting<unknown>][];

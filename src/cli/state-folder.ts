/** The folder of what the command remembers between runs. */
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

const NAME = "plm-wasm";

/** What decides where the folder is. */
interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  readonly system?: NodeJS.Platform;
  readonly home?: string | undefined;
}

/**
 * The folder's path, which need not exist: in XDG_STATE_HOME if that is set, else where the system
 * keeps such things. Undefined where the system names no home.
 */
export function stateFolder({
  env = process.env,
  system = process.platform,
  home = findHome(),
}: Surroundings = {}): string | undefined {
  // The XDG specification ignores relative paths.
  if (env.XDG_STATE_HOME && isAbsolute(env.XDG_STATE_HOME)) return join(env.XDG_STATE_HOME, NAME);
  if (system === "win32" && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, NAME);
  if (home === undefined) return undefined;
  if (system === "win32") return join(home, "AppData", "Local", NAME);
  if (system === "darwin") return join(home, "Library", "Application Support", NAME);
  return join(home, ".local", "state", NAME);
}

function findHome(): string | undefined {
  try {
    return homedir() || undefined;
  } catch {
    return undefined; // a user without an entry in the system's list
  }
}

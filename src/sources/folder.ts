/** A folder as a source: the files of the checkpoint in it. */
import platform from "#platform";
import { PlmError } from "../errors.js";
import { baseName, isCheckpointFile } from "../format/checkpoint-names.js";
import { isUrl, type Place } from "./locate.js";

/**
 * The checkpoint's files if the place is a folder; else undefined. Throws UNREADABLE_FILE for a
 * folder without config.json.
 */
export async function filesOfFolder(place: Place): Promise<Place[] | undefined> {
  if (isUrl(place) && place.protocol !== "file:") return undefined;
  const files = await platform.listFolder(place);
  if (files === undefined) return undefined;
  const named = files.filter((file) => isCheckpointFile(baseName(file))).sort();
  if (named.some((file) => baseName(file) === "config.json")) return named;
  const expected = "expected a regular file, or a folder with config.json";
  throw new PlmError("UNREADABLE_FILE", `${String(place)}: ${expected}, got a folder without`);
}

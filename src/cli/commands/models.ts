/** `plm models`: what is in the store. */
import type { Command } from "commander";
import { models } from "../../sources/models.js";
import { formatBytes, formatTable, writeJson, writeLine } from "../output.js";

export function addModels(program: Command): void {
  const command = program
    .command("models")
    .description("list or remove downloaded models")
    .addHelpText("after", "\nExample:\n  plm models list");
  command
    .command("list", { isDefault: true })
    .description("list downloaded models")
    .option("--json", "print one object")
    .action(list);
  command
    .command("remove")
    .argument("<source...>", "as `plm models list` names them")
    .description("remove downloaded models")
    .action(remove);
}

async function list({ json }: { readonly json?: boolean }): Promise<void> {
  const found = await models.list();
  if (json) return writeJson({ models: found });
  if (found.length === 0) return writeLine("no models; download one with `plm pull`");
  const rows = found.map(({ source, sizeBytes, storedBytes, isWhole }) => {
    const percent = Math.floor((100 * storedBytes) / sizeBytes);
    return [source, formatBytes(sizeBytes), isWhole ? "whole" : `${percent} % downloaded`];
  });
  await writeLine(formatTable(rows));
}

async function remove(sources: readonly string[]): Promise<void> {
  for (const source of sources) {
    const count = await models.remove(source);
    await writeLine(`${source}: ${count === 1 ? "1 file" : `${count} files`} removed`);
  }
}

// What the package finds in a server of Next.js.
import { loadModel } from "plm-wasm";
import { report } from "../../report.mjs";

export const dynamic = "force-dynamic";

export async function GET() {
  return new Response(await report((options) => loadModel(process.env.MODEL, options)));
}

// Serves the edge functions of a folder in Deno as Netlify does: a function's default export takes
// the request and a context, on the paths of its config. Prints where it listens.
const [folder] = Deno.args;
globalThis.Netlify = { env: Deno.env };

const functions = [];
for await (const { name } of Deno.readDir(folder)) {
  const { default: answer, config } = await import(new URL(name, `file://${folder}/`));
  const patterns = [config.path].flat().map((pathname) => new URLPattern({ pathname }));
  functions.push({ answer, patterns });
}

const onListen = ({ hostname, port }) => console.log(`http://${hostname}:${port}`);
Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, (request, { remoteAddr }) => {
  const { origin } = new URL(request.url);
  const context = { ip: remoteAddr.hostname, site: { url: origin }, next: () => fetch(request) };
  const matches = ({ patterns }) => patterns.some((pattern) => pattern.test(request.url));
  const found = functions.find(matches);
  return found?.answer(request, context) ?? new Response("", { status: 404 });
});

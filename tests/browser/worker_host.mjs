// Runs docs/first-party/worker.js as its platform does: HTTPS in front, the visitor's address in a header, files beside.
import { createServer } from 'node:https';
import { readFile } from 'node:fs/promises';

const [port, folder, example, collector] = process.argv.slice(2);
const worker = (await import(example)).default;
const hop = ['host', 'connection', 'content-length', 'transfer-encoding'];

const visit = async (incoming) => {
  const url = `https://${incoming.headers.host}${incoming.url}`;
  if (!incoming.url.startsWith('/in/'))
    return new Response(await readFile(folder + new URL(url).pathname), { headers: { 'Content-Type': 'text/html' } });
  const headers = new Headers({ ...incoming.headers, 'CF-Connecting-IP': incoming.socket.remoteAddress });
  hop.forEach((name) => headers.delete(name));
  const body = incoming.method === 'POST' ? Buffer.concat(await Array.fromAsync(incoming)) : undefined;
  return worker.fetch(new Request(url, { method: incoming.method, headers, body }), { COLLECTOR: collector });
};

const tls = { cert: await readFile(`${folder}/tls.pem`), key: await readFile(`${folder}/tls.key`) };
createServer(tls, async (incoming, outgoing) => {
  const answer = await visit(incoming);
  // Node's fetch has inflated the body already.
  const headers = [...answer.headers].filter(([name]) => !/^(content-encoding|content-length|connection)$/.test(name));
  outgoing.writeHead(answer.status, headers.flat()).end(Buffer.from(await answer.arrayBuffer()));
}).listen(port, '127.0.0.1');

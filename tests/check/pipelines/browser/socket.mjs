// SPDX-License-Identifier: LGPL-2.1-or-later
// A WebSocket client of the given name: socket.mjs MODULES NAME ADDRESS. Prints the first bytes of
// the first messages, and the code of the close that it requests; or the reason why it cannot
// connect.
import { createRequire } from 'node:module';

const [modules, name, address] = process.argv.slice(2);
const load = createRequire(modules + '/');
const clients = {
  node: () => globalThis.WebSocket,
  undici: () => load('undici').WebSocket,
  ws: () => load('ws').WebSocket,
};
const Client = clients[name]();
if (!Client) {
  console.log('none');
  process.exit();
}
const socket = new Client(address);
socket.binaryType = 'arraybuffer';
let received = Buffer.alloc(0);
socket.onmessage = ({ data }) => {
  received = Buffer.concat([received, Buffer.from(data)]);
  if (received.length > 10_000 && socket.readyState === 1)
    socket.close(1000);
};
socket.onerror = (event) => {
  console.log(`error ${event.message ?? event.error ?? ''}`);
  process.exit();
};
socket.onclose = ({ code, wasClean }) => {
  console.log(`${received.toString('latin1', 0, 3)} ${code} ${wasClean}`);
};

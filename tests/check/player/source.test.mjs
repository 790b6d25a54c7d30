// SPDX-License-Identifier: LGPL-2.1-or-later
// The connection, with a server, a WebSocket and a clock of the test.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Source} from '../../../player/source.js';
import {Clock} from './fakes.mjs';

// answers: one per request, of type {status, headers, body: async iterable}, or an Error.
function world(url, {answers = [], sockets = true} = {}) {
  const clock = new Clock();
  const events = [];
  const requests = [];
  const opened = [];
  const source = new Source(url, (event) => events.push(event), {
    ...clock.env,
    random: () => 0.5,
    WebSocket: sockets && class {
      constructor(address) {
        Object.assign(this, {address, isClosed: false});
        opened.push(this);
      }

      close() {
        this.isClosed = true;
      }
    },
    async fetch(address, {signal}) {
      requests.push({address, signal, at: clock.time});
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer instanceof Error) {
        throw answer;
      }
      return new Response(answer.body ?? null, answer);
    },
  });
  return {clock, events, requests, opened, source, types: () => events.map(({type}) => type),
          settle: () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))};
}

const stream = (...chunks) => new ReadableStream({
  start(controller) {
    chunks.forEach((chunk) => controller.enqueue(Uint8Array.from(chunk)));
  },
});
const ended = (...chunks) => new Blob(chunks.map((chunk) => Uint8Array.from(chunk))).stream();

test('fetch: bytes in order, and a stop that aborts', async () => {
  const w = world('http://h/live.flv', {answers: [{status: 200, body: stream([1, 2], [3])}]});
  w.source.start();
  await w.settle();
  assert.deepEqual(w.types(), ['open', 'data', 'data']);
  assert.deepEqual(w.events.slice(1).map(({bytes}) => [...bytes]), [[1, 2], [3]]);
  w.source.stop();
  assert.ok(w.requests[0].signal.aborted);
  w.clock.advance(1e6);
  await w.settle();
  assert.equal(w.events.length, 3);
});

for (const [status, reason] of [[404, /no stream.*404/], [403, /refuses.*403/], [406, /406/], [410, /gone/]]) {
  test(`${status} is permanent`, async () => {
    const w = world('http://h/live.flv', {answers: [{status}]});
    w.source.start();
    await w.settle();
    assert.deepEqual(w.types(), ['stopped']);
    assert.match(w.events[0].reason, reason);
    w.clock.advance(1e6);
    await w.settle();
    assert.equal(w.requests.length, 1);
  });
}

test('503 waits as long as the server says', async () => {
  const w = world('http://h/live.flv', {answers: [{status: 503, headers: {'Retry-After': '2'}}]});
  w.source.start();
  await w.settle();
  assert.match(w.events[0].reason, /503/);
  w.clock.advance(1999);
  assert.equal(w.requests.length, 1);
  w.clock.advance(1);
  assert.equal(w.requests.length, 2);
});

test('the wait doubles up to 8 s, and data resets it', async () => {
  const answers = Array(8).fill(new Error('refused'));
  const w = world('http://h/live.flv', {answers: [...answers, {status: 200, body: stream([1])}]});
  w.source.start();
  for (let retry = 0; retry < 8; retry++) {
    await w.settle();
    w.clock.next();
  }
  await w.settle();
  const waits = w.requests.slice(1).map(({at}, index) => at - w.requests[index].at);
  assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
  assert.match(w.events[0].reason, /failed/);
  assert.equal(w.types().at(-1), 'data');
});

test('wake reconnects at once', async () => {
  const w = world('http://h/live.flv', {answers: [new Error('refused')]});
  w.source.start();
  await w.settle();
  w.source.wake();
  assert.equal(w.requests.length, 2);
  w.source.wake();
  assert.equal(w.requests.length, 2, 'it already connects');
});

test('the end of the stream reconnects', async () => {
  const w = world('http://h/live.flv', {answers: [{status: 200, body: ended([1])}]});
  w.source.start();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(w.types(), ['open', 'data', 'waiting']);
  assert.match(w.events[2].reason, /ended/);
});

test('no data for 8 s reconnects, then for 16 s', async () => {
  const w = world('http://h/live.flv', {answers: [1, 2, 3].map((byte) => ({status: 200, body: stream([byte])}))});
  w.source.start();
  await w.settle();
  w.clock.advance(7999);
  assert.deepEqual(w.types(), ['open', 'data']);
  w.clock.advance(1);
  assert.deepEqual(w.types(), ['open', 'data', 'waiting']);
  assert.ok(w.requests[0].signal.aborted);
  w.clock.advance(250);
  await w.settle();
  w.clock.advance(15_999);
  assert.deepEqual(w.types().slice(3), ['open', 'data']);
  w.clock.advance(1);
  assert.deepEqual(w.types().slice(5), ['waiting']);
});

test('WebSocket: binary messages; text is ignored', () => {
  const w = world('ws://h/live.flv');
  w.source.start();
  const [socket] = w.opened;
  socket.onopen();
  socket.onmessage({data: 'text'});
  socket.onmessage({data: Uint8Array.of(1, 2).buffer});
  assert.deepEqual(w.types(), ['open', 'data']);
  socket.onclose({wasClean: false});
  assert.match(w.events[2].reason, /lost/);
  w.clock.advance(250);
  socket.onmessage({data: Uint8Array.of(3).buffer});
  assert.equal(w.events.length, 3, 'the former socket is ignored');
  w.opened[1].onopen();
  w.source.stop();
  assert.ok(w.opened[1].isClosed);
});

test('a WebSocket that does not open: fetch tells the reason', async () => {
  const w = world('wss://h/live.flv', {answers: [{status: 404}]});
  w.source.start();
  w.opened[0].onclose({wasClean: false});
  await w.settle();
  assert.equal(w.requests[0].address, 'https://h/live.flv');
  assert.match(w.events[0].reason, /404/);
});

test('a WebSocket that a proxy blocks: the stream comes over fetch', async () => {
  const w = world('ws://h/live.flv', {answers: [{status: 200, body: stream([1])}]});
  w.source.start();
  w.opened[0].onclose({wasClean: false});
  await w.settle();
  assert.deepEqual(w.types(), ['open', 'data']);
});

// SPDX-License-Identifier: LGPL-2.1-or-later
// The parser: what it says of tags, and hostile streams, which end with a sentence.
import assert from 'node:assert/strict';
import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {FlvParser, StreamError} from '../../../player/flv.js';
import {Remuxer} from '../../../player/remux.js';
import {ROOT, SAMPLE, encode, flv, header, read, readMp4, tag, tags} from './media.mjs';

const SHORT = process.env.FLV_TEST_SHORT === '1';

function items(...parts) {
  const found = [];
  new FlvParser((item) => found.push(item)).push(new Uint8Array(Buffer.concat(parts)));
  return found.slice(1);
}

const cc = (text) => Buffer.from(text, 'latin1');
const one = (...parts) => items(header(5), tag(...parts))[0];

test('classic tags', () => {
  const {data, ...config} = one(9, 0, [0x17, 0, 0, 0, 0, 1, 2, 3]);
  assert.deepEqual(config, {type: 'config', kind: 'video', codec: 'avc1'});
  assert.deepEqual([...data], [1, 2, 3]);
  const frame = one(9, 40, [0x27, 1, 0xff, 0xff, 0xd8, 9]);
  assert.deepEqual([frame.time, frame.shift, frame.key, frame.codec], [40, -40, false, 'avc1']);
  assert.equal(one(8, 0, [0xaf, 1, 9]).codec, 'mp4a');
  assert.equal(one(8, 0, [0x2f, 9]).codec, '.mp3');
});

test('times are signed and have 32 bits', () => {
  assert.equal(one(8, 0x12345678, [0xaf, 1, 9]).time, 0x12345678);
  assert.equal(one(8, -33, [0xaf, 1, 9]).time, -33);
});

test('Enhanced tags', () => {
  assert.equal(one(9, 0, [0x90], cc('hvc1'), [1]).type, 'config');
  assert.equal(one(9, 0, [0xa1], cc('hvc1'), [0, 0, 5], [1]).shift, 5);
  assert.equal(one(9, 0, [0xa3], cc('hvc1'), [1]).shift, 0);
  assert.equal(one(9, 0, [0xa1], cc('av01'), [1]).shift, 0);
  assert.equal(one(9, 0, [0xa7, 2, 7, 0xa1, 0x20, 0x03], cc('vp09'), [1]).shift, 0.5, 'nanoseconds');
  assert.equal(one(8, 0, [0x91], cc('fLaC'), [1]).codec, 'fLaC');
  const several = [0x96, 0x11, ...cc('av01'), 0, 0, 0, 2, 1, 2, 1, 0, 0, 1, 9];
  assert.deepEqual([...one(9, 0, several).data], [1, 2], 'the first of several tracks');
});

test('what is not of interest', () => {
  for (const body of [[0x57, 0], [0xd1, 1], [0x94, ...cc('hvc1'), 1], [0x92, ...cc('hvc1')], [0x17, 2, 0, 0, 0]]) {
    assert.deepEqual(items(header(5), tag(9, 0, body)), [], String(body));
  }
  assert.deepEqual(items(header(5), tag(18, 0, [2, 0, 1]), tag(0x28, 0, [0xaf, 1, 9]), tag(9, 0, [])), []);
});

test('a codec that MediaSource does not know is named', () => {
  const names = [[9, [0x22]], [9, [0x24, 0]], [8, [0xb2]], [9, [0x90, ...cc('vvc1')]], [8, [0x91, ...cc('ac-3')]],
                 [9, [0x91, ...cc('abcd')]]].map(([type, body]) => one(type, 0, body).name);
  assert.deepEqual(names, ['Sorenson H.263', 'VP6', 'Speex', 'VVC', 'AC-3', '“abcd”']);
});

test('faults end with a sentence', () => {
  const faults = [[Buffer.from('<!doctype html>')], [header(5), tag(7, 0, [1])], [header(5), tag(9, 0, [0x17])],
                  [Buffer.from([0x46, 0x4c, 0x56, 1, 5, 0xff, 0, 0, 9, 0, 0, 0, 0])],
                  [header(5), tag(9, 0, [0x97, 9])], [header(5), tag(9, 0, [0x96, 0x11, ...cc('av01'), 0, 9, 9, 9])]];
  for (const fault of faults) {
    assert.throws(() => items(...fault), (error) => error instanceof StreamError && /^[A-Z].*\.$/.test(error.message));
  }
  const parser = new FlvParser(() => {});
  assert.throws(() => parser.push(new Uint8Array(9)), StreamError);
  assert.throws(() => parser.push(new Uint8Array(9)), StreamError, 'again');
});

test('memory follows what arrives, not what a tag declares', () => {
  const before = process.memoryUsage().arrayBuffers;
  const parsers = Array.from({length: 64}, () => {
    const parser = new FlvParser(() => {});
    parser.push(header(5));
    parser.push(Uint8Array.of(9, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3));
    return parser;
  });
  assert.ok(process.memoryUsage().arrayBuffers - before < 4 * 2 ** 20);
  assert.equal(parsers.length, 64);
});

// Feeds a stream in chunks. It ends in time, with nothing or a StreamError.
function survive(bytes, what) {
  const started = performance.now();
  let out = 0;
  const remuxer = new Remuxer(({data}) => {
    out += data?.length ?? 0;
  }, () => true);
  const parser = new FlvParser((item) => remuxer.take(item));
  try {
    for (let at = 0; at < bytes.length; at += 1000) {
      parser.push(bytes.subarray(at, at + 1000));
      remuxer.flush();
    }
  } catch (error) {
    assert.ok(error instanceof StreamError, `${what}: ${error.stack}`);
  }
  assert.ok(performance.now() - started < 5000, `${what} takes ${performance.now() - started} ms`);
  assert.ok(out < 64 * 2 ** 20, `${what}: ${out} bytes of ${bytes.length}`);
}

test('the fuzz corpus', () => {
  const corpus = join(ROOT, 'tests/fuzz/corpus');
  for (const target of readdirSync(corpus)) {
    for (const name of readdirSync(join(corpus, target))) {
      const bytes = readFileSync(join(corpus, target, name));
      survive(new Uint8Array(bytes), `${target}/${name}`);
      survive(new Uint8Array(Buffer.concat([header(5), bytes])), `${target}/${name} after a header`);
      survive(new Uint8Array(Buffer.concat([header(5), tag(9, 0, bytes), tag(8, 0, bytes)])), `${target}/${name} in tags`);
    }
  }
});

// Deterministic random numbers: 32 bits.
function generator(seed) {
  return () => {
    seed = Math.imul(seed ^ seed >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return (seed ^ seed >>> 13) >>> 0;
  };
}

test('mutated streams', () => {
  const random = generator(1);
  const streams = [read(SAMPLE).subarray(0, 30_000)];
  for (const codec of ['hevc', 'av1', 'vp9', 'mp3', 'opus', 'flac']) {
    streams.push(flv([tags(readMp4(encode(codec, {seconds: 1}))[0])]).subarray(0, 20_000));
  }
  for (let round = 0; round < (SHORT ? 50 : 600); round++) {
    const bytes = streams[round % streams.length].slice();
    for (let change = random() % 8 + 1; change > 0; change--) {
      // Most of the changes hit the front, where the configurations are.
      const at = random() % (change % 2 ? 600 : bytes.length);
      bytes[at] = [random() & 255, 0, 255, bytes[at] ^ 1 << random() % 8][random() % 4];
    }
    survive(bytes, `round ${round}`);
  }
});

test('a jump of the time does not fill memory', () => {
  const sound = (time) => tag(8, time, [0xaf, 1, 0, 0, 0, 7]);
  const config = tag(8, 0, [0xaf, 0, 0x12, 0x08]);
  const times = Array.from({length: 2000}, (_, at) => at % 2 ? 0 : 59_000 * (at + 1));
  survive(new Uint8Array(Buffer.concat([header(4), config, ...times.map(sound)])), 'jumps');
});

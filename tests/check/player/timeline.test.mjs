// SPDX-License-Identifier: LGPL-2.1-or-later
// The remuxer: gaps, tracks that come or go, other configurations, another connection.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {StreamError} from '../../../player/flv.js';
import {decode, encode, flv, header, readMp4, remux, tag, tags} from './media.mjs';

const [video] = readMp4(encode('h264', {seconds: 8}));
const [audio] = readMp4(encode('aac', {seconds: 8}));
const pictures = tags(video, {classic: true});
const sound = tags(audio, {classic: true});
const within = (list, from, to) => list.filter(({time}, at) => at === 0 || time >= from && time < to);
const without = (list, from, to) => list.filter(({time}, at) => at === 0 || time < from || time >= to);

const media = (out, kind) => out.operations.filter((each) => each.type === 'media' && each.kind === kind);
const starts = (out) => out.operations.filter(({type}) => type === 'start').map(({kinds}) => kinds.join());

// Silent frames have the same content.
function silent(frames) {
  const counts = new Map();
  frames.forEach(({md5}) => counts.set(md5, (counts.get(md5) ?? 0) + 1));
  return Math.max(...counts.values());
}

// The media of each kind without a hole.
function checkContinuous(out, slack = 0.06) {
  for (const kind of ['video', 'audio']) {
    media(out, kind).reduce((end, {start, end: next}) => {
      assert.ok(start - end < slack, `a hole in ${kind} from ${end} to ${start}`);
      return Math.max(end, next);
    }, Infinity);
  }
}

for (const codec of ['aac', 'mp3', 'opus']) {
  test(`a gap in ${codec} is silence`, () => {
    const list = tags(readMp4(encode(codec, {seconds: 8, channels: 2}))[0]);
    const out = remux(flv([pictures, without(list, 2000, 6000)]));
    assert.equal(out.error, null);
    assert.deepEqual(starts(out), ['video,audio']);
    checkContinuous(out);
    const frames = decode(out.audio[0].bytes, 'audio');
    frames.reduce((before, {time}) => (assert.ok(time - before < 0.07, `${before} to ${time}`), time), Infinity);
    assert.ok(Math.abs(frames.at(-1).time - 8) < 0.3);
    assert.ok(silent(frames) > 40, `${silent(frames)} of ${frames.length} frames are silent`);
  });
}

test('while the sound is away, silence follows the pictures', () => {
  const out = remux(flv([pictures, without(sound, 2000, 99_000)]));
  const end = (kind) => Math.max(...media(out, kind).map((each) => each.end));
  assert.ok(end('video') - end('audio') < 0.5, `${end('video')} ${end('audio')}`);
});

test('sound that is always late is not replaced for long', () => {
  const late = sound.map(({time, bytes}, at) => ({time: at && time + 600, bytes}));
  const out = remux(flv([pictures, late]));
  const frames = decode(out.audio[0].bytes, 'audio');
  assert.ok(silent(frames) < 40, `${silent(frames)} of ${frames.length} frames are silent`);
  assert.equal(silent(frames.slice(-200)), 1);
});

test('sound that comes later joins at a key frame', () => {
  const out = remux(flv([pictures, within(sound, 2500, 9000)]));
  assert.deepEqual(starts(out), ['video', 'video,audio']);
  const second = out.operations.slice(out.operations.findLastIndex(({type}) => type === 'start'));
  const [first] = second.filter(({type, kind}) => type === 'media' && kind === 'video');
  assert.ok(Math.abs(first.start - 3.1) < 0.2, String(first.start));
});

test('pictures that go leave the sound, and come back', () => {
  const out = remux(flv([without(pictures, 1500, 5500), sound]));
  assert.deepEqual(starts(out), ['video,audio', 'audio', 'video,audio']);
});

test('a still picture is repeated', () => {
  const still = [pictures[0], pictures[1]];
  const out = remux(flv([still, sound]));
  assert.deepEqual(starts(out), ['video,audio']);
  const end = Math.max(...media(out, 'video').map((each) => each.end));
  assert.ok(end > 7, String(end));
});

test('another size, another codec', () => {
  const small = tags(readMp4(encode('h264', {size: '128x96'}))[0], {classic: true});
  const other = tags(readMp4(encode('vp9', {size: '160x90'}))[0]);
  const later = (list, by) => list.map(({time, bytes}) => {
    const moved = Buffer.from(bytes);
    moved.writeUIntBE(time + by, 4, 3);
    return {time: time + by, bytes: moved};
  });
  const out = remux(flv([within(pictures, 0, 2000), later(small, 2000), later(other, 4000), within(sound, 0, 6000)]));
  assert.equal(out.error, null);
  assert.deepEqual(starts(out), ['video,audio'], 'one MediaSource');
  assert.deepEqual(out.video.map(({mime}) => mime.slice(19, 23)), ['avc1', 'avc1', 'vp09']);
  assert.deepEqual(out.video.map(({bytes}) => decode(bytes, 'video').length), [50, 50, 50]);
  checkContinuous(out, 0.1);
});

test('a repeated configuration changes nothing', () => {
  const out = remux(flv([pictures.toSpliced?.(20, 0, {...pictures[0], time: pictures[20].time}) ?? pictures]));
  assert.equal(out.video.length, 1);
});

test('times that start again or jump continue the timeline', () => {
  for (const jump of [-1e6, 1e6]) {
    const moved = (list) => within(list, 2000, 4000).slice(1).map(({time, bytes}) => {
      const copy = Buffer.from(bytes);
      const stamp = time - 2000 + (jump > 0 ? 1e6 : 0);
      copy.writeUIntBE(stamp, 4, 3);
      return {time: 2000 + time, bytes: copy};
    });
    const out = remux(flv([within(pictures, 0, 2000), within(sound, 0, 2000), moved(pictures), moved(sound)]));
    checkContinuous(out, 0.2);
    assert.ok(media(out, 'video').at(-1).end < 5);
  }
});

test('a flag that promises a track that never comes holds nothing up for long', () => {
  const out = remux(flv([pictures]));
  assert.deepEqual(starts(out), ['video']);
  assert.equal(decode(out.video[0].bytes, 'video').length, 200);
});

test('a codec that the browser does not know', () => {
  const no = (name) => ({supports: (type) => !type.includes(name)});
  const both = remux(flv([pictures, sound]), no('avc1'));
  assert.deepEqual(both.operations[0], {type: 'unsupported', kind: 'video', name: 'H.264'});
  assert.deepEqual(starts(both), ['audio'], 'the sound plays alone');
  const alone = remux(new Uint8Array(Buffer.concat([header(1), ...pictures.map(({bytes}) => bytes)])), no('avc1'));
  assert.ok(alone.error instanceof StreamError);
  assert.equal(alone.error.message, 'This browser cannot decode H.264 video.');
});

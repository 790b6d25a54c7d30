// SPDX-License-Identifier: LGPL-2.1-or-later
// The queue in front of the SourceBuffers, with a MediaSource of the test.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Buffers} from '../../../player/buffer.js';
import {FakeMediaSource} from './fakes.mjs';

const AVC = 'video/mp4; codecs="avc1.42E01E"';
const AAC = 'audio/mp4; codecs="mp4a.40.2"';

function world(...kinds) {
  const events = [];
  const urls = [];
  const video = {currentTime: 0};
  const buffers = new Buffers(video, (event) => events.push(event), {
    MediaSource: FakeMediaSource,
    createUrl: () => `blob:${urls.push('made')}`,
    revokeUrl: (url) => urls.push(url),
  });
  buffers.take({type: 'start', kinds});
  return {buffers, video, events, urls, source: FakeMediaSource.made.at(-1)};
}

const init = (kind, mime = kind === 'video' ? AVC : AAC) => ({type: 'init', kind, mime, data: new Uint8Array(10)});
const media = (kind, end, size = 100) => ({type: 'media', kind, start: end - 1, end, data: new Uint8Array(size), at: null});

test('all SourceBuffers are there before the first append', () => {
  const {buffers, source} = world('video', 'audio');
  source.open();
  buffers.take(init('video'));
  assert.equal(source.buffers.length, 0);
  buffers.take(init('audio'));
  assert.deepEqual(source.buffers.map(({type, calls}) => [type, calls.length]), [[AVC, 1], [AAC, 1]]);
});

test('what comes before the MediaSource opens is kept', () => {
  const {buffers, source} = world('video');
  buffers.take(init('video'));
  buffers.take(media('video', 1));
  source.open();
  source.buffers[0].finish();
  assert.deepEqual(source.buffers[0].calls, [['append', 10], ['append', 100]]);
});

test('media that waits goes in one append', () => {
  const {buffers, source, events} = world('video');
  source.open();
  buffers.take(init('video'));
  [1, 2, 3].forEach((end) => buffers.take(media('video', end)));
  source.buffers[0].finish();
  assert.deepEqual(source.buffers[0].calls, [['append', 10], ['append', 300]]);
  assert.deepEqual(events, [{type: 'appended', edge: 3}]);
});

test('the edge is that of the track with less', () => {
  const {buffers, source} = world('video', 'audio');
  source.open();
  [init('video'), init('audio')].forEach((each) => buffers.take(each));
  source.buffers.forEach((buffer) => buffer.finish());
  buffers.take(media('video', 5));
  assert.equal(buffers.edge, null);
  buffers.take(media('audio', 4));
  assert.equal(buffers.edge, 4);
});

test('another codec changes the type, the same one does not', () => {
  const {buffers, source} = world('video');
  source.open();
  [init('video'), media('video', 1), init('video'), init('video', 'video/mp4; codecs="vp09.00.10.08"')].forEach(
    (each) => buffers.take(each));
  [1, 2, 3, 4].forEach(() => source.buffers[0].finish());
  assert.deepEqual(source.buffers[0].calls, [['append', 10], ['append', 100], ['append', 10],
    ['changeType', 'video/mp4; codecs="vp09.00.10.08"'], ['append', 10]]);
});

test('raw frames are placed, and have no init segment', () => {
  const {buffers, source} = world('audio');
  source.open();
  buffers.take({...init('audio', 'audio/mpeg'), data: null});
  buffers.take({...media('audio', 5), at: 4});
  assert.equal(source.buffers[0].timestampOffset, 4);
  buffers.take(media('audio', 6));
  buffers.take({...media('audio', 9), at: 8});
  source.buffers[0].finish();
  assert.equal(source.buffers[0].timestampOffset, 4);
  source.buffers[0].finish();
  assert.equal(source.buffers[0].timestampOffset, 8);
});

test('media that was shown is removed', () => {
  const {buffers, source, video} = world('video');
  source.open();
  buffers.take(init('video'));
  const [buffer] = source.buffers;
  buffer.ranges = [[0, 30]];
  video.currentTime = 25;
  buffer.finish();
  assert.deepEqual(buffer.calls.at(-1), ['remove', 0, 17]);
});

test('a full SourceBuffer loses old media, and the append is repeated', () => {
  const {buffers, source, video, events} = world('video');
  source.open();
  buffers.take(init('video'));
  const [buffer] = source.buffers;
  buffer.finish();
  buffers.take(media('video', 60));
  buffer.ranges = [[0, 60]];
  buffer.finish();
  video.currentTime = 3;
  buffer.refuse = 'QuotaExceededError';
  buffers.take(media('video', 61, 77));
  assert.deepEqual(buffer.calls.at(-1), ['remove', 0, 55]);
  buffer.ranges = [[55, 60]];
  buffer.finish();
  assert.deepEqual(buffer.calls.at(-1), ['append', 77]);
  assert.ok(!events.some(({type}) => type === 'failed'));
});

test('a queue that nothing empties fails', () => {
  const {buffers, events} = world('video');
  buffers.take(init('video'));
  for (let count = 0; count < 40; count++) {
    buffers.take(media('video', count, 2 ** 20));
  }
  assert.deepEqual(events.map(({type}) => type), ['failed']);
});

test('a decoder error fails once', () => {
  const {buffers, source, events} = world('video');
  source.open();
  buffers.take(init('video'));
  source.buffers[0].dispatchEvent(new Event('error'));
  source.buffers[0].finish();
  buffers.take(media('video', 1));
  assert.deepEqual(events.map(({type}) => type), ['failed']);
});

test('another start replaces the MediaSource', () => {
  const {buffers, source, urls} = world('video');
  source.open();
  buffers.take({type: 'start', kinds: ['audio']});
  assert.deepEqual(urls, ['made', 'blob:1', 'made']);
  source.open();
  assert.equal(source.buffers.length, 0, 'the former one is ignored');
  buffers.close();
  assert.equal(buffers.edge, null);
});

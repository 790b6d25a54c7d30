// SPDX-License-Identifier: LGPL-2.1-or-later
// ffmpeg decodes what flv.js, codec.js and mp4.js make of a stream: the frames and times of the source.
import assert from 'node:assert/strict';
import {basename} from 'node:path';
import {test} from 'node:test';
import {StreamError} from '../../../player/flv.js';
import {MEDIA, SAMPLE, decode, encode, flv, isVideo, read, readMp4, remux, samples,
        tags, withTagSizes} from './media.mjs';

const CHUNK = 4096;

function decodeAll(files, kind) {
  return files.flatMap(({bytes, mime}) => decode(bytes, kind, mime === 'audio/mpeg' ? 'in.mp3' : 'in.mp4'));
}

// The same frames in the same order; the times differ by one offset and at most `slack` s.
function checkFrames(ours, source, slack, what) {
  assert.equal(ours.length, source.length, `${what}: number of frames`);
  const offset = ours[0].time - source[0].time;
  ours.forEach(({time, md5}, at) => {
    assert.equal(md5, source[at].md5, `${what}: frame ${at}`);
    const off = time - source[at].time - offset;
    assert.ok(Math.abs(off) < slack, `${what}: frame ${at} is off by ${off} s`);
  });
  return offset;
}

// Samples of ../shared/media, and what the player says of them.
const FRAMES = {
  'aac_only.flv': 'a', 'aac_only_33s.flv': 'a', 'avc_aac_obs.flv': 'va', 'h264_aac_bbb.flv': 'va',
  'h264_aac_red5.flv': 'v', 'h264_gstmux_index.flv': 'v', 'h264_only_33s.flv': 'v',
  'no_metadata.flv': 'va', 'slides.flv': 'v', 'radio-rebase.flv': 'a', 'neg-start.flv': 'va',
  'rec1h.flv': 'va', 'meta-novalue.flv': 'va', 'streamid1.flv': 'va', 'h264_aac_avatar.flv': 'va',
  'audio-emptyvideo.flv': 'a', 'audio-gap.flv': 'v', 'h264_multinalu_tiny.flv': 'v',
};
const REFUSED = {
  'cuepoints.flv': /VP6 video/, 'g711_alaw_only.flv': /G.711 audio/, 'h263_adpcm_slice.flv': /ADPCM audio/,
  'h263_adpcm_backward_ts.flv': /ADPCM audio/, 'indexed_small.flv': /Sorenson H.263 video/,
  'not_flv_webm.flv': /not an FLV stream/, 'pcm16_only.flv': /PCM audio/,
  'screen_video.flv': /Screen Video video/, 'vp6_alpha_xmp.flv': /VP6 with alpha video/,
  'av1-id13.flv': /AV1/, 'zeros-mid.flv': /tag of type 0/,
};

test('the sample of the project', () => {
  const out = remux(read(SAMPLE));
  for (const kind of ['video', 'audio']) {
    checkFrames(decodeAll(out[kind], kind), decode(read(SAMPLE), kind, 'in.flv'), 0.002, kind);
  }
});

test('chunks of any size give the same media', () => {
  const bytes = read(SAMPLE).subarray(0, 60_000);
  const whole = remux(bytes, {chunk: bytes.length});
  for (const chunk of [1, 7, 1000]) {
    const out = remux(bytes, {chunk});
    for (const kind of ['video', 'audio']) {
      checkFrames(decodeAll(out[kind], kind), decodeAll(whole[kind], kind), 1e-4, `${kind}, ${chunk} bytes`);
    }
  }
});

for (const file of samples()) {
  const name = basename(file);
  test(name, {skip: !(name in FRAMES || name in REFUSED) && 'checked elsewhere'}, () => {
    const out = remux(read(file), {chunk: CHUNK});
    if (name in REFUSED) {
      assert.ok(out.error instanceof StreamError, String(out.error));
      assert.match(out.error.message, REFUSED[name]);
      return;
    }
    assert.equal(out.error, null);
    const offsets = [];
    for (const kind of ['video', 'audio'].filter((each) => FRAMES[name].includes(each[0]))) {
      const ours = decodeAll(out[kind], kind);
      offsets.push(checkFrames(ours, decode(withTagSizes(read(file)), kind, 'in.flv'), kind === 'video' ? 0.002 : 0.06, kind));
    }
    assert.ok(offsets.length < 2 || Math.abs(offsets[0] - offsets[1]) < 0.06, `out of sync: ${offsets}`);
  });
}
if (samples().length === 0) {
  test('sample files', {skip: `no files in ${MEDIA}`});
}

const CLASSIC = ['h264', 'hevc', 'av1', 'aac', 'mp3', 'opus'];
for (const codec of ['h264', 'hevc', 'av1', 'vp9', 'aac', 'mp3', 'opus', 'flac']) {
  const forms = {enhanced: {}, modEx: {modEx: true}, multitrack: {multitrack: true},
                 ...CLASSIC.includes(codec) ? {classic: {classic: true}} : {}};
  test(codec, () => {
    const kind = isVideo(codec) ? 'video' : 'audio';
    const mp4 = encode(codec, {channels: 2});
    const [track] = readMp4(mp4);
    const source = decode(mp4, kind);
    for (const [form, options] of Object.entries(forms)) {
      const out = remux(flv([tags(track, options)]), {chunk: CHUNK});
      assert.equal(out.error, null, form);
      const ours = decodeAll(out[kind], kind);
      // The pre-skip of Opus shifts ffmpeg's times of the first frame.
      checkFrames(ours.slice(1), source.slice(1), 0.002, `${codec}, ${form}`);
      assert.ok(out.operations[1].mime.startsWith(`${kind}/mp4; codecs="`), out.operations[1].mime);
    }
  });
}

test('MP3 without a container', () => {
  const mp4 = encode('mp3');
  const out = remux(flv([tags(readMp4(mp4)[0])]), {supports: (type) => type === 'audio/mpeg'});
  assert.equal(out.operations[1].data, null);
  assert.equal(out.audio[0].mime, 'audio/mpeg');
  const placed = out.operations.filter(({at}) => at != null).map(({at}) => at);
  assert.deepEqual(placed, [0.1]);
  assert.equal(decodeAll(out.audio, 'audio').length, decode(mp4, 'audio').length);
});

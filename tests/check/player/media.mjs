// SPDX-License-Identifier: LGPL-2.1-or-later
// Streams for the tests: what ffmpeg makes, FLV written from it, and what ffmpeg decodes.
import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {FlvParser} from '../../../player/flv.js';
import {Remuxer} from '../../../player/remux.js';

export const ROOT = new URL('../../../', import.meta.url).pathname;
export const SAMPLE = join(ROOT, 'tests/data/sample.flv');
export const MEDIA = process.env.FLV_TEST_MEDIA ?? join(ROOT, '../shared/media');
export const folder = mkdtempSync(join(tmpdir(), 'flv-player-'));
process.on('exit', () => rmSync(folder, {recursive: true}));

export const samples = () => existsSync(MEDIA) ? [MEDIA, join(MEDIA, 'reports')].filter(existsSync).flatMap(
  (from) => readdirSync(from).filter((name) => name.endsWith('.flv')).map((name) => join(from, name))) : [];

export const read = (file) => new Uint8Array(readFileSync(file));

export function ffmpeg(...options) {
  const {status, stdout, stderr, error} = spawnSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...options],
                                                    {maxBuffer: 2 ** 28});
  if (status !== 0) {
    throw new Error(`ffmpeg ${options.join(' ')}: ${error ?? stderr}`);
  }
  return stdout;
}

// The decoded frames: [{time, md5}], s.
export function decode(bytes, kind, name = 'in.mp4') {
  const file = join(folder, name);
  writeFileSync(file, bytes);
  const lines = ffmpeg('-copyts', '-i', file, '-map', `0:${kind[0]}`, '-fps_mode', 'passthrough',
                       '-enc_time_base', '-1', '-f', 'framemd5', '-').toString().split('\n');
  const [, numerator, denominator] = /^#tb 0: (\d+)\/(\d+)/.exec(lines.find((line) => line.startsWith('#tb')));
  return lines.filter((line) => line && !line.startsWith('#')).map((line) => {
    const [, , pts, , , md5] = line.split(',');
    return {time: pts * numerator / denominator, md5: md5.trim()};
  });
}

// The stream with the right PreviousTagSize after each tag, which ffmpeg wants.
export function withTagSizes(bytes) {
  const parts = [bytes.subarray(0, 13)];
  for (let at = 13, size; at + 11 <= bytes.length; at += size + 4) {
    size = 11 + (bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3]);
    const trailer = Buffer.alloc(4);
    trailer.writeUInt32BE(size);
    parts.push(bytes.subarray(at, at + size), trailer);
  }
  return Buffer.concat(parts);
}

// What the player makes of a stream: its operations, and {video, audio}: one file for each
// configuration, as [{mime, bytes}]. A fault of the stream is in `error`.
export function remux(bytes, {chunk = 4096, supports = () => true} = {}) {
  const operations = [];
  const files = {video: [], audio: []};
  let error = null;
  const remuxer = new Remuxer((operation) => {
    operations.push(operation);
    if (operation.type === 'init') {
      files[operation.kind].push({mime: operation.mime, parts: operation.data ? [operation.data] : []});
    } else if (operation.type === 'media') {
      files[operation.kind].at(-1).parts.push(operation.data);
    }
  }, supports);
  const parser = new FlvParser((item) => remuxer.take(item));
  try {
    for (let at = 0; at < bytes.length; at += chunk) {
      parser.push(bytes.subarray(at, at + chunk));
      remuxer.flush();
    }
  } catch (thrown) {
    error = thrown;
  }
  for (const file of [...files.video, ...files.audio]) {
    file.bytes = Buffer.concat(file.parts);
  }
  return {operations, ...files, error, remuxer};
}

// Reads tracks of an MP4 file by ffmpeg: [{kind, entry, config, samples: [{data, time, shift, key}]}],
// ms. config: the contents of the configuration box.
export function readMp4(bytes) {
  const data = Buffer.from(bytes);
  const boxes = (from, to) => {
    const found = [];
    for (let at = from; at + 8 <= to;) {
      const size = data.readUInt32BE(at);
      found.push({type: data.latin1Slice(at + 4, at + 8), from: at + 8, to: at + size});
      at += size;
    }
    return found;
  };
  const find = (box, path) => path.split('/').reduce(
    (from, type) => from && boxes(from.from, from.to).find((child) => child.type === type), box);
  const table = (box, width) => Array.from({length: data.readUInt32BE(box.from + 4)}, (_, row) =>
    Array.from({length: width}, (__, column) => data.readInt32BE(box.from + 8 + 4 * (row * width + column))));
  const moov = find({from: 0, to: data.length}, 'moov');
  return boxes(moov.from, moov.to).filter(({type}) => type === 'trak').map((trak) => {
    const stbl = find(trak, 'mdia/minf/stbl');
    const scale = data.readUInt32BE(find(trak, 'mdia/mdhd').from + 12);
    const kind = data.latin1Slice(find(trak, 'mdia/hdlr').from + 8, find(trak, 'mdia/hdlr').from + 12);
    const stsd = find(stbl, 'stsd');
    const [entry] = boxes(stsd.from + 8, stsd.to);
    const fields = kind === 'vide' ? 78 : 28;
    const [box] = boxes(entry.from + fields, entry.to);
    const sizes = find(stbl, 'stsz');
    const count = data.readUInt32BE(sizes.from + 8);
    const fixed = data.readUInt32BE(sizes.from + 4);
    const each = Array.from({length: count}, (_, at) => fixed || data.readUInt32BE(sizes.from + 12 + 4 * at));
    const chunks = table(find(stbl, 'stco'), 1).flat();
    const runs = table(find(stbl, 'stsc'), 3);
    const deltas = table(find(stbl, 'stts'), 2).flatMap(([times, delta]) => Array(times).fill(delta));
    const shifts = find(stbl, 'ctts') ?
      table(find(stbl, 'ctts'), 2).flatMap(([times, shift]) => Array(times).fill(shift)) : [];
    const keys = find(stbl, 'stss') && new Set(table(find(stbl, 'stss'), 1).flat());
    const list = [];
    let time = 0;
    chunks.forEach((offset, chunk) => {
      const run = runs.filter(([first]) => first <= chunk + 1).at(-1);
      for (let at = 0; at < run[1] && list.length < count; at++) {
        const index = list.length;
        list.push({data: data.subarray(offset, offset + each[index]), time: Math.round(time * 1000 / scale),
                   shift: Math.round((shifts[index] ?? 0) * 1000 / scale), key: !keys || keys.has(index + 1)});
        offset += each[index];
        time += deltas[index];
      }
    });
    return {kind: kind === 'vide' ? 'video' : 'audio', entry: entry.type, box: box.type,
            config: data.subarray(box.from, box.to), samples: list};
  });
}

const u24 = (value) => [value >> 16 & 255, value >> 8 & 255, value & 255];

export function tag(type, time, ...parts) {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const size = Buffer.alloc(4);
  size.writeUInt32BE(11 + body.length);
  return Buffer.concat([Buffer.from([type, ...u24(body.length), ...u24(time), time >> 24 & 255, 0, 0, 0]),
                        body, size]);
}

export const header = (flags) => Buffer.from([0x46, 0x4c, 0x56, 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]);

const cc = (codec) => Buffer.from(codec, 'latin1');

// The configuration as FLV has it.
export function flvConfig({box, config}) {
  if (box === 'esds') {
    const at = config.indexOf(Buffer.from([5, 0x80, 0x80, 0x80]));
    return at < 0 ? null : config.subarray(at + 5, at + 5 + config[at + 4]);
  }
  if (box === 'dOps') {
    const head = Buffer.from(`OpusHead\x01\0\0\0\0\0\0\0\0\0\0`, 'latin1');
    head[9] = config[1];
    head.writeUInt16LE(config.readUInt16BE(2), 10);
    head.writeUInt32LE(config.readUInt32BE(4), 12);
    return head;
  }
  return box === 'dfLa' ? Buffer.concat([cc('fLaC'), config.subarray(4)]) : config;
}

const CODECS = {avc1: 'avc1', hvc1: 'hvc1', hev1: 'hvc1', av01: 'av01', vp09: 'vp09', Opus: 'Opus', fLaC: 'fLaC'};
const CLASSIC = {avc1: 7, hvc1: 12, av01: 13, mp4a: 10, '.mp3': 2, Opus: 13};

export const codecOf = (track) => CODECS[track.entry] ?? (flvConfig(track) ? 'mp4a' : '.mp3');

// The tags of a track, in Enhanced or in classic FLV: [{time, bytes}].
export function tags(track, {classic = false, modEx = false, multitrack = false} = {}) {
  const codec = codecOf(track);
  const video = track.kind === 'video';
  const composed = ['avc1', 'hvc1'].includes(codec);
  const type = video ? 9 : 8;
  const front = (packet, key) => {
    if (classic && video) {
      return [(key ? 0x10 : 0x20) | CLASSIC[codec], packet];
    }
    if (classic) {
      return codec === '.mp3' ? [0x2f] : [CLASSIC[codec] << 4 | 15, packet];
    }
    const bits = video ? 0x80 | (key ? 0x10 : 0x20) : 0x90;
    if (modEx) { // a nanosecond offset of 0
      return [bits | 7, 2, 0, 0, 0, packet, ...cc(codec)];
    }
    return multitrack ? [bits | (video ? 6 : 5), packet, ...cc(codec), 0] : [bits | packet, ...cc(codec)];
  };
  const config = flvConfig(track);
  const list = [];
  if (config && codec !== '.mp3') {
    list.push({time: 0, bytes: tag(type, 0, front(0, true), classic && video ? [0, 0, 0] : [], config)});
  }
  for (const {data, time, shift, key} of track.samples) {
    const shifted = video && (classic || composed) ? u24(shift) : [];
    list.push({time, bytes: tag(type, time, front(1, key), shifted, data)});
  }
  return list;
}

// A stream of all tags, in the order of their times.
export function flv(lists) {
  const all = lists.flat().map((item, order) => ({...item, order}));
  all.sort((a, b) => a.time - b.time || a.order - b.order);
  return new Uint8Array(Buffer.concat([header(5), ...all.map(({bytes}) => bytes)]));
}

const PICTURE = (size, rate) => ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}`];
const TONE = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'];
const ENCODERS = {
  h264: ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '25', '-pix_fmt', 'yuv420p'],
  hevc: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:bframes=2:keyint=25',
         '-tag:v', 'hvc1', '-pix_fmt', 'yuv420p'],
  av1: ['-c:v', 'libaom-av1', '-cpu-used', '8', '-usage', 'realtime', '-g', '25', '-pix_fmt', 'yuv420p'],
  vp9: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '25', '-pix_fmt', 'yuv420p'],
  aac: ['-c:a', 'aac'],
  mp3: ['-c:a', 'libmp3lame'],
  opus: ['-c:a', 'libopus'],
  flac: ['-c:a', 'flac', '-strict', '-2'],
};

export const isVideo = (codec) => ['h264', 'hevc', 'av1', 'vp9'].includes(codec);

// A short MP4 file of one codec.
export function encode(codec, {size = '192x108', rate = 25, seconds = 2, channels = 1} = {}) {
  const file = join(folder, `${codec}-${size}-${channels}.mp4`);
  const source = isVideo(codec) ? PICTURE(size, rate) : [...TONE, '-ac', channels];
  ffmpeg(...source, '-t', seconds, ...ENCODERS[codec], '-use_editlist', '0', file);
  return read(file);
}

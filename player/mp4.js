// SPDX-License-Identifier: LGPL-2.1-or-later
// Init and media segments of ISO BMFF, one track each. Functions on plain values.

const VIDEO_TIMESCALE = 90000;
const SYNC = 0x02000000; // depends on no other sample
const NO_SYNC = 0x01010000;

export const concat = (parts) => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

const text = (value) => Array.from(value, (char) => char.charCodeAt());
const u16 = (value) => [value >> 8 & 255, value & 255];
const u32 = (value) => [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255];
const u64 = (value) => [...u32(Math.floor(value / 2 ** 32)), ...u32(value % 2 ** 32)];
const zeros = (count) => new Array(count).fill(0);

// A box of boxes, typed arrays and arrays of bytes.
function box(type, ...contents) {
  const size = contents.reduce((sum, part) => sum + part.length, 8);
  return concat([[...u32(size), ...text(type)], ...contents]);
}

const fullBox = (type, version, flags, ...contents) =>
  box(type, [version, flags >> 16, flags >> 8 & 255, flags & 255], ...contents);

const MATRIX = [...u32(0x10000), ...zeros(12), ...u32(0x10000), ...zeros(12), ...u32(0x40000000)];

export const timescale = (track) => track.rate ?? VIDEO_TIMESCALE;

// Descriptors of MPEG-4 Systems: ES, decoder configuration, decoder specific information, SL.
function esds({config, objectType}) {
  const descriptor = (tag, ...contents) => {
    const size = contents.reduce((sum, part) => sum + part.length, 0);
    return [tag, 0x80, 0x80, size >> 7 | 0x80, size & 127, ...contents.map((part) => [...part]).flat()];
  };
  const specific = config.length ? descriptor(5, config) : [];
  return fullBox('esds', 0, 0, descriptor(3, [...u16(1), 0],
    descriptor(4, [objectType, 0x15, ...zeros(11)], specific), descriptor(6, [2])));
}

function sampleEntry(track) {
  const {kind, codec, config, width, height, rate, channels} = track;
  const decoder = track.box === 'esds' ? esds(track) : box(track.box, config);
  if (kind === 'video') {
    return box(codec, zeros(6), u16(1), zeros(16), u16(width), u16(height), u32(0x480000),
               u32(0x480000), zeros(4), u16(1), zeros(32), u16(24), u16(0xffff), decoder);
  }
  const type = codec === '.mp3' ? 'mp4a' : codec;
  return box(type, zeros(6), u16(1), zeros(8), u16(channels), u16(16), zeros(4),
             u16(rate < 65536 ? rate : 0), u16(0), decoder);
}

// The init segment of a track as codec.js describes it.
export function initSegment(track) {
  const video = track.kind === 'video';
  const {width = 0, height = 0} = track;
  const media = video ? fullBox('vmhd', 0, 1, zeros(8)) : fullBox('smhd', 0, 0, zeros(4));
  const tables = box('stbl', fullBox('stsd', 0, 0, u32(1), sampleEntry(track)),
    fullBox('stts', 0, 0, u32(0)), fullBox('stsc', 0, 0, u32(0)), fullBox('stsz', 0, 0, zeros(8)),
    fullBox('stco', 0, 0, u32(0)));
  const reference = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)));
  const handler = fullBox('hdlr', 0, 0, zeros(4), text(video ? 'vide' : 'soun'), zeros(13));
  return concat([
    box('ftyp', text('iso5'), u32(1), text('iso5iso6mp41')),
    box('moov',
      fullBox('mvhd', 0, 0, zeros(8), u32(timescale(track)), zeros(4), u32(0x10000), u16(0x100),
              zeros(10), MATRIX, zeros(24), u32(2)),
      box('trak',
        fullBox('tkhd', 0, 3, zeros(8), u32(1), zeros(16), zeros(4), u16(video ? 0 : 0x100), zeros(2),
                MATRIX, u32(width * 65536), u32(height * 65536)),
        box('mdia',
          fullBox('mdhd', 0, 0, zeros(8), u32(timescale(track)), zeros(4), u16(0x55c4), zeros(2)),
          handler, box('minf', media, reference, tables))),
      box('mvex', fullBox('trex', 0, 0, u32(1), u32(1), zeros(12)))),
  ]);
}

// A media segment. samples: [{data, time, duration, shift, key}], in units of the timescale; time is
// the decoding time, and presentation is at time + shift.
export function mediaSegment(sequence, samples) {
  const table = new Uint8Array(16 * samples.length);
  const view = new DataView(table.buffer);
  samples.forEach(({data, duration, shift, key}, at) => {
    view.setUint32(16 * at, duration);
    view.setUint32(16 * at + 4, data.length);
    view.setUint32(16 * at + 8, key ? SYNC : NO_SYNC);
    view.setInt32(16 * at + 12, shift);
  });
  const header = (offset) => box('moof', fullBox('mfhd', 0, 0, u32(sequence)),
    box('traf', fullBox('tfhd', 0, 0x20000, u32(1)), fullBox('tfdt', 1, 0, u64(samples[0].time)),
        fullBox('trun', 1, 0xf01, u32(samples.length), u32(offset), table)));
  const payload = samples.map(({data}) => data);
  const size = payload.reduce((sum, data) => sum + data.length, 8);
  const moof = header(header(0).length + 8);
  return concat([moof, [...u32(size), ...text('mdat')], ...payload]);
}

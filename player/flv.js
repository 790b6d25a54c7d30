// SPDX-License-Identifier: LGPL-2.1-or-later
// A streaming parser of FLV, classic and Enhanced (Veovera enhanced-rtmp v2). It keeps at most one
// incomplete tag. Each item goes to a callback:
//   {type: 'header', video, audio}               the flags of the file header
//   {type: 'config', kind, codec, data}          a decoder configuration
//   {type: 'frame', kind, codec, time, shift, key, data}    time in ms; shift: of the composition, ms
//   {type: 'unsupported', kind, name, time}      a codec that no MediaSource knows
// kind is 'video' or 'audio'; codec is a FourCC: avc1, hvc1, av01, vp09, mp4a, .mp3, Opus, fLaC.

import {States} from './states.js';

const VIDEO_CODECS = {7: 'avc1', 12: 'hvc1', 13: 'av01'};
const AUDIO_CODECS = {2: '.mp3', 10: 'mp4a', 13: 'Opus', 14: '.mp3'};
const KNOWN = {
  video: ['avc1', 'hvc1', 'av01', 'vp09'],
  audio: ['mp4a', '.mp3', 'Opus', 'fLaC'],
};
const NAMES = {
  avc1: 'H.264', hvc1: 'HEVC', av01: 'AV1', vp09: 'VP9', vp08: 'VP8', vvc1: 'VVC',
  mp4a: 'AAC', '.mp3': 'MP3', Opus: 'Opus', fLaC: 'FLAC', 'ac-3': 'AC-3', 'ec-3': 'E-AC-3',
};
const VIDEO_NAMES = {2: 'Sorenson H.263', 3: 'Screen Video', 4: 'VP6', 5: 'VP6 with alpha',
                     6: 'Screen Video 2', 8: 'Real H.263', 9: 'MPEG-4'};
const AUDIO_NAMES = {0: 'PCM', 1: 'ADPCM', 3: 'PCM', 4: 'Nellymoser', 5: 'Nellymoser', 6: 'Nellymoser',
                     7: 'G.711', 8: 'G.711', 11: 'Speex'};

const AUDIO = 8;
const VIDEO = 9;
const TAG_TYPES = [AUDIO, VIDEO, 15, 18];
const MOST_HEADER = 1024; // bytes

// A fault of the stream. Its message is a sentence for the viewer.
export class StreamError extends Error {}

export const codecName = (codec) => NAMES[codec] ?? `“${codec.replace(/[^ -~]/g, '?')}”`;

const u16 = (data) => data[0] << 8 | data[1];
const u24 = (data) => u16(data) << 8 | data[2];
const i24 = (data) => u24(data) << 8 >> 8;

export const damaged = (what) => new StreamError(`The stream is damaged: ${what}.`);

// Bytes of one tag. A read past the end throws.
class Reader {
  constructor(data) {
    this.data = data;
  }

  take(count) {
    if (count > this.data.length) {
      throw damaged('a tag ends too early');
    }
    const taken = this.data.subarray(0, count);
    this.data = this.data.subarray(count);
    return taken;
  }

  u8() {
    return this.take(1)[0];
  }

  fourCc() {
    return String.fromCharCode(...this.take(4));
  }
}

// The front of an Enhanced packet: {type, codec, nanoseconds}, with ModEx and Multitrack packets
// unwrapped. Of several tracks the first is taken: this player shows one picture and one sound.
function enhanced(reader, type, multitrack) {
  let nanoseconds = 0; // to add to the time
  while (type === 7) { // ModEx
    let size = reader.u8() + 1;
    if (size === 256) {
      size = u16(reader.take(2)) + 1;
    }
    const data = reader.take(size);
    const next = reader.u8();
    nanoseconds = next >> 4 === 0 && size >= 3 ? u24(data) : nanoseconds;
    type = next & 15;
  }
  if (type !== multitrack) {
    return {type, codec: reader.fourCc(), nanoseconds};
  }
  const multi = reader.u8();
  const codec = reader.fourCc();
  reader.take(1); // track id
  if (multi >> 4) {
    reader.data = reader.take(u24(reader.take(3)));
  }
  return {type: multi & 15, codec, nanoseconds};
}

export class FlvParser {
  #emit;
  #mostTag;
  #held = new Uint8Array(0); // the first #have bytes of it wait for the rest
  #have = 0;
  #need = 9;
  #tag = null; // {type, time} of the tag that comes
  #state = new States({
    header: ['skip', 'failed'],
    skip: ['tag', 'failed'], // the rest of the header and the first PreviousTagSize
    tag: ['body', 'failed'],
    body: ['tag', 'failed'],
    failed: [],
  }, 'header');

  constructor(emit, {mostTag = 2 ** 24} = {}) {
    this.#emit = emit;
    this.#mostTag = mostTag;
  }

  // Takes the next bytes of the stream. Throws StreamError; the parser is of no use after that.
  push(bytes) {
    if (this.#state.is('failed')) {
      throw damaged('it cannot be read');
    }
    try {
      while (bytes.length > 0) {
        bytes = this.#step(bytes);
      }
    } catch (error) {
      this.#state.set('failed');
      this.#held = new Uint8Array(0);
      throw error;
    }
  }

  #step(bytes) {
    const missing = this.#need - this.#have;
    if (this.#have === 0 && bytes.length >= missing) {
      this.#take(bytes.subarray(0, missing));
      return bytes.subarray(missing);
    }
    const part = bytes.subarray(0, missing);
    this.#hold(part);
    if (this.#have === this.#need) {
      const whole = this.#held.subarray(0, this.#have);
      this.#held = new Uint8Array(0);
      this.#have = 0;
      this.#take(whole);
    }
    return bytes.subarray(part.length);
  }

  // Grows with what arrives, not with what a tag declares.
  #hold(part) {
    const size = this.#have + part.length;
    if (size > this.#held.length) {
      const larger = new Uint8Array(Math.min(this.#need, Math.max(2 * size, 4096)));
      larger.set(this.#held.subarray(0, this.#have));
      this.#held = larger;
    }
    this.#held.set(part, this.#have);
    this.#have = size;
  }

  #next(state, need) {
    this.#state.set(state);
    this.#need = need;
  }

  #take(data) {
    if (this.#state.is('header')) {
      this.#header(data);
    } else if (this.#state.is('skip')) {
      this.#next('tag', 11);
    } else if (this.#state.is('tag')) {
      this.#tagHeader(data);
    } else {
      const {type, time} = this.#tag;
      this.#next('tag', 11);
      this.#body(type, time, data.subarray(0, -4));
    }
  }

  #header(data) {
    const size = new DataView(data.buffer, data.byteOffset).getUint32(5);
    if (u24(data) !== 0x464c56) {
      throw new StreamError('This is not an FLV stream.');
    }
    if (size < 9 || size > MOST_HEADER) {
      throw damaged('the header has a wrong size');
    }
    this.#emit({type: 'header', video: (data[4] & 1) !== 0, audio: (data[4] & 4) !== 0});
    this.#next('skip', size - 9 + 4);
  }

  #tagHeader(data) {
    const type = data[0] & 0x1f;
    const size = u24(data.subarray(1));
    if (!TAG_TYPES.includes(type) || data[0] & 0xc0) {
      throw damaged(`there is no tag of type ${data[0]}`);
    }
    if (size > this.#mostTag) {
      throw new StreamError(`The stream has a tag of ${size} bytes, which is too large.`);
    }
    // Encrypted tags (0x20) are skipped. The time is signed: some streams begin below 0.
    this.#tag = {type: data[0] & 0x20 ? 0 : type, time: u24(data.subarray(4)) | data[7] << 24};
    this.#next('body', size + 4);
  }

  #body(type, time, data) {
    if (data.length > 0 && type === VIDEO) { // empty: a camera that is off
      this.#video(time, new Reader(data));
    } else if (data.length > 0 && type === AUDIO) {
      this.#audio(time, new Reader(data));
    }
  }

  #video(time, reader) {
    const first = reader.u8();
    const frameType = first >> 4 & 7;
    let codec = VIDEO_CODECS[first & 15];
    let packet = {type: 0, nanoseconds: 0};
    let shift = 0;
    if (frameType === 5 && (first & 0x8f) !== 0x84) {
      return; // a command
    }
    if (first & 0x80) {
      packet = enhanced(reader, first & 15, 6);
      codec = KNOWN.video.includes(packet.codec) ? packet.codec : null;
      shift = packet.type === 1 && ['avc1', 'hvc1'].includes(codec) ? i24(reader.take(3)) : 0;
      packet.type = packet.type === 3 ? 1 : packet.type; // CodedFramesX: without a shift
    } else if (codec) {
      packet.type = reader.u8();
      shift = i24(reader.take(3));
    }
    const name = packet.codec ? codecName(packet.codec) : VIDEO_NAMES[first & 15];
    this.#packet({kind: 'video', codec, name, time, shift: shift + packet.nanoseconds / 1e6,
                  key: frameType === 1 || frameType === 4}, packet.type, reader.data);
  }

  #audio(time, reader) {
    const first = reader.u8();
    let codec = AUDIO_CODECS[first >> 4];
    let packet = {type: 1, nanoseconds: 0};
    if (first >> 4 === 9) {
      packet = enhanced(reader, first & 15, 5);
      codec = KNOWN.audio.includes(packet.codec) ? packet.codec : null;
    } else if (codec && codec !== '.mp3') {
      packet.type = reader.u8();
    }
    const name = packet.codec ? codecName(packet.codec) : AUDIO_NAMES[first >> 4];
    this.#packet({kind: 'audio', codec, name, time, shift: packet.nanoseconds / 1e6, key: true},
                 packet.type, reader.data);
  }

  // type: 0 a configuration, 1 frames; others are not of interest.
  #packet({name, ...frame}, type, data) {
    const {kind, codec, time} = frame;
    if (!codec && type <= 1) {
      this.#emit({type: 'unsupported', kind, name: name ?? 'unknown', time});
    } else if (data.length > 0 && type === 0) {
      this.#emit({type: 'config', kind, codec, data: data.slice()});
    } else if (data.length > 0 && type === 1) {
      this.#emit({type: 'frame', ...frame, data});
    }
  }
}

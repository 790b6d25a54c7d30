// SPDX-License-Identifier: LGPL-2.1-or-later
// What a decoder configuration says: types for MediaSource, size, sample rate, and the contents of
// the sample entry. Functions on plain values.

import {codecName, damaged} from './flv.js';

const AAC_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000,
                   7350];
const MP3_RATES = [44100, 48000, 32000];
const MP3_BITRATES = [ // kbit/s, of layer 3: MPEG-1, MPEG-2
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

class Bits {
  #data;
  #at = 0;

  constructor(data) {
    this.#data = data;
  }

  read(count) {
    if (count > this.#data.length * 8 - this.#at) {
      throw damaged('a decoder configuration ends too early');
    }
    let value = 0;
    for (; count > 0; count--, this.#at++) {
      value = value * 2 + (this.#data[this.#at >> 3] >> 7 - (this.#at & 7) & 1);
    }
    return value;
  }

  skip(count) {
    for (; count > 32; count -= 32) {
      this.read(32);
    }
    this.read(count);
  }

  golomb() {
    let zeros = 0;
    while (this.read(1) === 0) {
      zeros++;
    }
    return 2 ** zeros - 1 + this.read(zeros);
  }

  signedGolomb() {
    const code = this.golomb();
    return code & 1 ? (code + 1) / 2 : -code / 2;
  }
}

const hex = (value, digits = 2) => value.toString(16).toUpperCase().padStart(digits, '0');
const twoDigits = (value) => String(value).padStart(2, '0');

// A NAL unit without its emulation prevention bytes.
function unescaped(nal) {
  return nal.filter((byte, at) => !(byte === 3 && at > 1 && !nal[at - 1] && !nal[at - 2]));
}

// Width and height in luma samples, less the cropping that follows in the bits.
function cropped(bits, width, height, unitX, unitY) {
  const [left, right, top, bottom] = bits.read(1) ? [1, 2, 3, 4].map(() => bits.golomb()) : [0, 0, 0, 0];
  return {width: width - (left + right) * unitX, height: height - (top + bottom) * unitY};
}

function avcSize(sps) {
  const bits = new Bits(unescaped(sps));
  bits.skip(8);
  const profile = bits.read(8);
  bits.skip(16);
  bits.golomb();
  let chroma = 1;
  if ([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135].includes(profile)) {
    chroma = bits.golomb();
    bits.skip(chroma === 3 ? 1 : 0);
    bits.golomb();
    bits.golomb();
    bits.skip(1);
    if (bits.read(1)) {
      for (let list = 0; list < (chroma === 3 ? 12 : 8); list++) {
        skipScalingList(bits, list < 6 ? 16 : 64);
      }
    }
  }
  bits.golomb();
  const orderType = bits.golomb();
  if (orderType === 0) {
    bits.golomb();
  } else if (orderType === 1) {
    bits.skip(1);
    bits.golomb();
    bits.golomb();
    for (let count = bits.golomb(); count > 0; count--) {
      bits.golomb();
    }
  }
  bits.golomb();
  bits.skip(1);
  const width = (bits.golomb() + 1) * 16;
  const rows = bits.golomb() + 1;
  const fields = 2 - bits.read(1);
  bits.skip(fields === 2 ? 2 : 1);
  return cropped(bits, width, rows * 16 * fields, chroma === 1 || chroma === 2 ? 2 : 1,
                 fields * (chroma === 1 ? 2 : 1));
}

function skipScalingList(bits, size) {
  if (!bits.read(1)) {
    return;
  }
  let last = 8;
  for (let at = 0; at < size; at++) {
    const next = (last + bits.signedGolomb() + 256) % 256;
    if (next === 0) {
      return;
    }
    last = next;
  }
}

function avc(config) {
  const size = config[6] << 8 | config[7];
  if (config.length < 8 || size > config.length - 8 || size < 4) {
    throw damaged('the H.264 configuration has no sequence header');
  }
  return {
    codecs: [`avc1.${hex(config[1])}${hex(config[2])}${hex(config[3])}`],
    ...avcSize(config.subarray(8, 8 + size)),
    box: 'avcC',
  };
}

// The first sequence parameter set in an hvcC record.
function hevcSequence(config) {
  for (let at = 23; at + 5 < config.length;) {
    const type = config[at] & 63;
    let count = config[at + 1] << 8 | config[at + 2];
    for (at += 3; count > 0 && at + 2 < config.length; count--) {
      const size = config[at] << 8 | config[at + 1];
      at += 2 + size;
      if (type === 33) {
        return config.subarray(at - size, at);
      }
    }
  }
  throw damaged('the HEVC configuration has no sequence header');
}

function hevcSize(sps) {
  const bits = new Bits(unescaped(sps));
  bits.skip(20);
  const layers = bits.read(3);
  bits.skip(1 + 88 + 8);
  const flags = Array.from({length: layers}, () => [bits.read(1), bits.read(1)]);
  bits.skip(layers > 0 ? 2 * (8 - layers) : 0);
  for (const [profile, level] of flags) {
    bits.skip(88 * profile + 8 * level);
  }
  bits.golomb();
  const chroma = bits.golomb();
  bits.skip(chroma === 3 ? 1 : 0);
  return cropped(bits, bits.golomb(), bits.golomb(), chroma === 1 || chroma === 2 ? 2 : 1,
                 chroma === 1 ? 2 : 1);
}

function hevc(config) {
  const space = ['', 'A', 'B', 'C'][config[1] >> 6];
  const compatible = Array.from({length: 32}, (_, bit) => // in reverse order
    (config[2 + (bit >> 3)] >> 7 - (bit & 7) & 1) * 2 ** bit).reduce((sum, value) => sum + value);
  const constraints = Array.from(config.subarray(6, 12));
  while (constraints.at(-1) === 0) {
    constraints.pop();
  }
  const tier = config[1] & 0x20 ? 'H' : 'L';
  const parts = ['hvc1', space + (config[1] & 31), hex(compatible, 1), tier + config[12],
                 ...constraints.map((byte) => hex(byte, 1))];
  return {codecs: [parts.join('.')], ...hevcSize(hevcSequence(config)), box: 'hvcC'};
}

// The payload of the first sequence header in AV1 units.
function av1SequenceHeader(units) {
  for (let at = 0; at < units.length;) {
    const header = units[at];
    at += header & 4 ? 2 : 1;
    let size = units.length - at;
    if (header & 2) {
      size = 0;
      for (let shift = 0; shift < 35; shift += 7) {
        const byte = units[at++];
        size += (byte & 127) * 2 ** shift;
        if (!(byte & 128)) {
          break;
        }
      }
    }
    if ((header >> 3 & 15) === 1) {
      return units.subarray(at, at + size);
    }
    at += size;
  }
  throw damaged('AV1 without a sequence header');
}

function av1Size(units) {
  const bits = new Bits(av1SequenceHeader(units));
  bits.skip(4);
  if (bits.read(1)) {
    bits.skip(5);
  } else {
    let delayLength = 0;
    if (bits.read(1)) { // timing information
      bits.skip(64);
      if (bits.read(1)) {
        bits.golomb();
      }
      if (bits.read(1)) {
        delayLength = bits.read(5) + 1;
        bits.skip(42);
      }
    }
    const displayDelay = bits.read(1);
    for (let points = bits.read(5) + 1; points > 0; points--) {
      bits.skip(12);
      bits.skip(bits.read(5) > 7 ? 1 : 0);
      bits.skip(delayLength && bits.read(1) ? 2 * delayLength + 1 : 0);
      bits.skip(displayDelay && bits.read(1) ? 4 : 0);
    }
  }
  const widthBits = bits.read(4) + 1;
  const heightBits = bits.read(4) + 1;
  return {width: bits.read(widthBits) + 1, height: bits.read(heightBits) + 1};
}

function av1(config, key) {
  const depth = config[2] & 0x40 ? config[2] & 0x20 ? 12 : 10 : 8;
  const level = `${twoDigits(config[1] & 31)}${config[2] & 0x80 ? 'H' : 'M'}`;
  return {codecs: [`av01.${config[1] >> 5}.${level}.${twoDigits(depth)}`],
          ...av1Size(config.length > 4 ? config.subarray(4) : key), box: 'av1C'};
}

function vp9Size(key) {
  const bits = new Bits(key);
  bits.skip(2);
  const profile = bits.read(1) + 2 * bits.read(1);
  bits.skip(profile === 3 ? 5 + 24 : 4 + 24);
  bits.skip(profile >= 2 ? 1 : 0);
  const rgb = bits.read(3) === 7;
  const odd = profile & 1;
  bits.skip(rgb ? odd : 1 + 3 * odd);
  return {width: bits.read(16) + 1, height: bits.read(16) + 1};
}

function vp9(config, key) {
  // Some writers include the version and flags of the box, others begin with the profile.
  const full = config.length >= 12 && config[0] === 1;
  const record = full ? config : Uint8Array.of(1, 0, 0, 0, ...config);
  const parts = [record[4], record[5], record[6] >> 4].map(twoDigits);
  return {codecs: [`vp09.${parts.join('.')}`], ...vp9Size(key), box: 'vpcC', config: record};
}

function aac(config) {
  const bits = new Bits(config);
  const type = bits.read(5);
  const object = type === 31 ? 32 + bits.read(6) : type;
  const index = bits.read(4);
  const rate = index === 15 ? bits.read(24) : AAC_RATES[index];
  const layout = bits.read(4);
  if (!rate) {
    throw damaged('the AAC configuration has no sample rate');
  }
  return {codecs: [`mp4a.40.${object}`], rate, channels: layout === 7 ? 8 : layout || 2, layout,
          frameLength: 1024, box: 'esds', objectType: 0x40};
}

// The header of an MP3 frame at an offset; null if there is none.
function mp3Frame(data, at = 0) {
  const version = data[at + 1] >> 3 & 3; // 3 MPEG-1, 2 MPEG-2, 0 MPEG-2.5
  const low = version === 3 ? 0 : 1;
  const rate = MP3_RATES[data[at + 2] >> 2 & 3] / (version ? 1 + low : 4);
  const bitrate = MP3_BITRATES[low][data[at + 2] >> 4] * 1000;
  const samples = 1152 >> low;
  if (data[at] !== 0xff || (data[at + 1] & 0xe6) !== 0xe2 || version === 1 || !rate || !bitrate) {
    return null;
  }
  return {size: Math.floor(samples / 8 * bitrate / rate) + (data[at + 2] >> 1 & 1), samples, rate,
          channels: data[at + 3] >> 6 === 3 ? 1 : 2};
}

function mp3(_, key) {
  const frame = mp3Frame(key);
  if (!frame) {
    throw damaged('an MP3 frame has no header');
  }
  // Chromium takes MP3 only without a container.
  return {codecs: ['mp4a.6B', 'mp3'], raw: 'audio/mpeg', rate: frame.rate, channels: frame.channels,
          frameLength: frame.samples, box: 'esds', objectType: 0x6b, config: new Uint8Array(0)};
}

function opus(config) {
  const head = config?.length >= 19 ? config : new Uint8Array(19).fill(2, 9, 10); // OpusHead
  // The same fields, in the other byte order.
  const own = [0, 9, 11, 10, 15, 14, 13, 12, 17, 16].map((at) => at && head[at]);
  return {codecs: ['opus'], rate: 48000, channels: head[9], family: head[18], frameLength: 960,
          box: 'dOps', config: Uint8Array.of(...own, ...head.subarray(18))};
}

function flac(config) {
  // In front of STREAMINFO there may be “fLaC” and a block header.
  const info = config.subarray(config[0] === 0x66 ? 8 : config.length >= 38 ? 4 : 0).subarray(0, 34);
  const bits = new Bits(info);
  bits.skip(80);
  const rate = bits.read(20);
  const channels = bits.read(3) + 1;
  if (!rate || info.length < 34) {
    throw damaged('the FLAC configuration has no sample rate');
  }
  return {codecs: ['flac'], rate, channels, frameLength: info[2] << 8 | info[3], box: 'dfLa',
          config: Uint8Array.of(0, 0, 0, 0, 0x80, 0, 0, 34, ...info)};
}

const DESCRIBE = {avc1: avc, hvc1: hevc, av01: av1, vp09: vp9, mp4a: aac, '.mp3': mp3, Opus: opus,
                  fLaC: flac};
const MOST_CONFIG = 16000; // bytes
const LEAST = {avc1: 8, hvc1: 23, av01: 4, vp09: 8, mp4a: 2, fLaC: 34}; // bytes of a configuration

// Describes a track from its configuration and first key frame: {kind, codec, name, types, config,
// box}, with {width, height} or {rate, channels, frameLength}. types: for isTypeSupported, the best
// first; one without codecs takes the frames without a container.
export function describe(kind, codec, config, key) {
  const size = config?.length ?? 0;
  if (size < (LEAST[codec] ?? 0) || size > MOST_CONFIG) {
    throw damaged(`the ${codecName(codec)} configuration has ${size} bytes`);
  }
  const track = {kind, codec, name: codecName(codec), config, ...DESCRIBE[codec](config, key)};
  track.types = track.codecs.map((name) => `${kind}/mp4; codecs="${name}"`);
  track.types.push(...track.raw ? [track.raw] : []);
  return track;
}

function opusLength([first, second]) {
  const mode = first >> 3;
  const code = first & 3;
  const frames = code === 3 ? second & 63 : code === 0 ? 1 : 2;
  const ms = mode < 12 ? [10, 20, 40, 60][mode & 3] : mode < 16 ? [10, 20][mode & 1] : 2.5 * 2 ** (mode & 3);
  return Math.min(frames * ms * 48 || 960, 5760);
}

// Splits the data of a tag into frames: [{data, samples}].
export function audioFrames(track, data) {
  if (track.codec === '.mp3') {
    const frames = [];
    for (let at = 0, frame; at < data.length && (frame = mp3Frame(data, at)); at += frame.size) {
      frames.push({data: data.subarray(at, at + frame.size), samples: frame.samples});
    }
    return frames;
  }
  return [{data, samples: track.codec === 'Opus' ? opusLength(data) : track.frameLength}];
}

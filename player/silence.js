// SPDX-License-Identifier: LGPL-2.1-or-later
// Silent frames for gaps in the sound.

// The elements of AAC channel configurations: 0 one channel, 1 a pair, 3 low frequencies.
const AAC_ELEMENTS = [null, [0], [1], [0, 1], [0, 1, 0], [0, 1, 1], [0, 1, 1, 3], [0, 1, 1, 1, 3]];

// Elements without a scale factor band: no spectral data.
function aac({layout}) {
  const elements = AAC_ELEMENTS[layout];
  const number = (at) => elements.slice(0, at).filter((other) => other === elements[at]).length;
  const bits = elements?.map((element, at) => element.toString(2).padStart(3, '0') +
    number(at).toString(2).padStart(4, '0') + '0'.repeat(element === 1 ? 1 + 2 * 22 : 22));
  return bits ? Uint8Array.from(`${bits.join('')}111`.match(/.{1,8}/g), (byte) => parseInt(byte.padEnd(8, '0'), 2)) :
                null;
}

// A frame with the header of a real one, without side information.
function mp3(_, last) {
  const data = new Uint8Array(last.length);
  data.set(last.subarray(0, 4));
  data[1] |= 1; // no checksum
  return data;
}

const opus = ({family, channels}) =>
  family ? null : Uint8Array.of(channels === 2 ? 0xfc : 0xf8, 0xff, 0xfe);

const MAKE = {mp4a: aac, '.mp3': mp3, Opus: opus, fLaC: () => null};

// One silent frame of a track's frameLength; null if that cannot be made. last: a real frame.
export function silentFrame(track, last) {
  return MAKE[track.codec](track, last);
}

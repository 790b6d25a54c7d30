// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes an Enhanced FLV stream for the browser tests: make.mjs FILE SECONDS CODEC[+CODEC]
import {writeFileSync} from 'node:fs';
import {encode, flv, readMp4, tags} from './media.mjs';

const [file, seconds, codecs] = process.argv.slice(2);
writeFileSync(file, flv(codecs.split('+').map(
  (codec) => tags(readMp4(encode(codec, {seconds: Number(seconds), channels: 2}))[0]))));

// SPDX-License-Identifier: LGPL-2.1-or-later
// Items of flv.js in, segments for MediaSource out, on one continuous timeline. Operations go to a
// callback, in this order:
//   {type: 'start', kinds}                       a new MediaSource, with one track of each kind
//   {type: 'init', kind, mime, name, data}       a decoder configuration; without data for raw frames
//   {type: 'media', kind, data, start, end, at}  frames; s. at: where raw frames are placed
//   {type: 'unsupported', kind, name}            this track is left out

import {StreamError} from './flv.js';
import {audioFrames, describe} from './codec.js';
import {concat, initSegment, mediaSegment, timescale} from './mp4.js';
import {silentFrame} from './silence.js';
import {States} from './states.js';

const ORIGIN = 100; // ms, the first time; leaves room for pictures that are shown before it
const FAR_AHEAD = 60_000; // ms: a longer gap is a new timeline
const FAR_BACK = 5000; // ms
const HOLD = 700; // ms of one kind, in which the other has to show itself
const HOLD_UNSUPPORTED = 3000; // ms of a kind that cannot be played, likewise
const MOST_HELD = 8 * 2 ** 20; // bytes
const JITTER = 50; // ms by which audio timestamps may differ from the sum of the frames
const FIRST_PATIENCE = 300; // ms without sound while pictures come: silence is inserted
const MOST_PATIENCE = 2000; // ms
const GONE = 2000; // ms: the track is over
const REPEAT = 500; // ms between copies of a still picture
const LAST_DURATION = 1; // s, of the last frame of a segment, since the next one is not known yet

const OTHER = {video: 'audio', audio: 'video'};
const NO_CONFIG = ['.mp3', 'Opus'];

export const unsupportedText = ({kind, name}) => `This browser cannot decode ${name} ${kind}.`;

const sameBytes = (a, b) => a?.length === b?.length && (a ?? []).every((byte, at) => byte === b[at]);

class Track {
  constructor(kind) {
    this.kind = kind;
    this.codec = null; // of the latest configuration
    this.config = null;
    this.about = null; // of codec.js; null until the first frame after a configuration
    this.mime = null; // null: not supported
    this.samples = [];
    this.bytes = 0; // of samples
    this.next = null; // tick after the last sample
    this.last = null; // the last sample
    this.seen = null; // ms, of the last frame
    this.needsKey = kind === 'video';
    this.patience = FIRST_PATIENCE;
    this.step = 40; // ms between frames
    this.newest = -Infinity; // ms, of the frames in the order of presentation
  }

  get end() { // ms
    return this.next === null ? null : this.next * 1000 / timescale(this.about);
  }

  add(sample) {
    this.samples.push(sample);
    this.bytes += sample.data.length;
    this.last = sample;
  }
}

export class Remuxer {
  #emit;
  #supports;
  #tracks = {video: new Track('video'), audio: new Track('audio')};
  #expected = ['video', 'audio'];
  #unsupported = {}; // by kind: {name, since}
  #kinds = []; // of the current MediaSource
  #offset = null; // ms from the stream's time to ours; null: the next tag continues the timeline
  #time = 0; // of the last tag, as in the stream
  #sequence = 0;
  #state = new States({starting: ['flowing'], flowing: []}, 'starting');

  // supports: MediaSource.isTypeSupported
  constructor(emit, supports) {
    this.#emit = emit;
    this.#supports = supports;
  }

  take(item) {
    if (item.type === 'header') {
      this.#expected = ['video', 'audio'].filter((kind) => item[kind] || !item[OTHER[kind]]);
    } else if (item.type === 'config') {
      this.#config(item);
    } else if (item.type === 'frame') {
      this.#frame(item);
    } else {
      this.#cannotPlay(item.kind, item.name, item.time);
    }
  }

  // Emits the frames that have been taken.
  flush() {
    if (this.#state.is('starting') && this.#kindsKnown()) {
      this.#begin();
    }
    if (this.#state.is('flowing')) {
      this.#kinds.forEach((kind) => this.#send(this.#tracks[kind]));
    }
  }

  // Configurations

  #config({kind, codec, data}) {
    const track = this.#tracks[kind];
    if (track.codec === codec && sameBytes(track.config, data)) {
      return;
    }
    if (this.#state.is('starting') && track.samples.length > 0) {
      this.#begin();
    }
    this.#send(track);
    Object.assign(track, {codec, config: data, needsKey: kind === 'video'});
    this.#forget(track);
  }

  // The next frame describes the track anew.
  #forget(track) {
    const {end} = track;
    Object.assign(track, {about: null, mime: null, next: null, ended: end});
    track.last = track.kind === 'video' ? track.last : null;
    delete this.#unsupported[track.kind];
  }

  // Describes the track with its first frame. Without a type, it cannot be played.
  #describe(track, {codec, data, time}) {
    track.about = describe(track.kind, codec, track.config, data);
    track.mime = track.about.types.find(this.#supports) ?? null;
    if (!track.mime) {
      this.#cannotPlay(track.kind, track.about.name, time);
    } else if (this.#kinds.includes(track.kind)) {
      this.#sendInit(track);
    }
  }

  #cannotPlay(kind, name, time) {
    const known = this.#unsupported[kind];
    if (known?.name !== name) {
      this.#unsupported[kind] = {name, since: time};
      this.#emit({type: 'unsupported', kind, name});
    }
    const other = this.#tracks[OTHER[kind]];
    const kinds = this.#state.is('starting') ? this.#expected : this.#kinds;
    const starved = this.#state.is('starting') && !other.config && other.samples.length === 0 &&
      time - this.#unsupported[kind].since > HOLD_UNSUPPORTED;
    if (starved || kinds.every((each) => this.#unsupported[each])) {
      throw new StreamError(unsupportedText({kind, name}));
    }
  }

  // Frames

  #frame(item) {
    const track = this.#tracks[item.kind];
    if (track.codec !== item.codec) {
      if (!NO_CONFIG.includes(item.codec)) {
        return;
      }
      this.#config({kind: item.kind, codec: item.codec, data: null});
      track.codec = item.codec;
    }
    if (!track.config && !NO_CONFIG.includes(item.codec) || track.needsKey && !item.key) {
      return;
    }
    if (!track.about) {
      this.#describe(track, item);
    }
    if (!track.mime) {
      this.#cannotPlay(track.kind, track.about.name, item.time);
      return;
    }
    const time = this.#place(item.time);
    this.#adaptKinds(track, item, time);
    track.seen = time;
    if (this.#state.is('flowing') && !this.#kinds.includes(track.kind)) {
      return;
    }
    track.needsKey = false;
    if (track.kind === 'video') {
      this.#video(track, item, time);
    } else {
      this.#audio(track, item, time);
    }
    this.#checkOther(OTHER[track.kind], time);
    if (this.#state.is('starting') && track.bytes > MOST_HELD) {
      this.#begin();
    }
  }

  // Times on our timeline, ms.
  #place(time) {
    const step = time - this.#time;
    if (this.#offset === null || step > FAR_AHEAD || step < -FAR_BACK) {
      this.#offset = this.#edge() - time;
    }
    this.#time = time;
    return time + this.#offset;
  }

  #edge() {
    const ends = Object.values(this.#tracks).map((track) => track.end ?? track.ended ?? ORIGIN);
    return Math.max(...ends);
  }

  #video(track, {shift, key, data}, time) {
    const overlap = track.newest + track.step - time - shift;
    if (key && overlap >= track.step && overlap < HOLD) {
      // Frames were lost before this one. Chromium does not go back for it, so it comes later.
      this.#offset += overlap;
      time += overlap;
    }
    const tick = Math.max(Math.round(time * 90), track.last ? track.last.time + 1 : 0);
    if (track.last && track.samples.length > 0) {
      track.last.duration = tick - track.last.time;
    }
    if (track.last && tick - track.last.time < 90 * REPEAT) {
      track.step = (tick - track.last.time) / 90;
    }
    const shown = Math.max(0, Math.round((time + shift) * 90));
    track.add({data, time: tick, duration: 90_000 * LAST_DURATION, shift: shown - tick, key});
    track.newest = Math.max(track.newest, shown / 90);
    track.next = Math.round((track.newest + track.step) * 90);
  }

  #audio(track, {data}, time) {
    const rate = timescale(track.about);
    for (const frame of audioFrames(track.about, data)) {
      const tick = Math.round(time * rate / 1000);
      track.next ??= Math.max(tick, Math.ceil((track.ended ?? 0) * rate / 1000));
      const gap = (tick - track.next) * 1000 / rate;
      if (gap < -JITTER) {
        // Silence was inserted too early, or the time steps back.
        track.patience = Math.min(MOST_PATIENCE, track.patience - gap + JITTER);
        return;
      }
      if (gap > JITTER) {
        this.#silence(track, tick);
      }
      this.#addAudio(track, frame);
      time += frame.samples * 1000 / rate;
    }
  }

  #addAudio(track, {data, samples}) {
    track.add({data, time: track.next, duration: samples, shift: 0, key: true});
    track.next += samples;
  }

  // Inserts silent frames up to a tick; without such frames, the gap stays.
  #silence(track, tick) {
    const data = track.last && silentFrame(track.about, track.last.data);
    const samples = track.about.frameLength;
    while (data && tick - track.next >= samples) {
      this.#addAudio(track, {data, samples});
    }
    if (!data) {
      this.#send(track);
      track.next = tick;
    }
  }

  // The other track while this one goes on

  #checkOther(kind, time) {
    const track = this.#tracks[kind];
    if (!this.#state.is('flowing') || !this.#kinds.includes(kind) || track.next === null) {
      return;
    }
    if (kind === 'audio') {
      this.#missingSound(track, time);
    } else {
      this.#missingPicture(track, time);
    }
  }

  #missingSound(track, time) {
    if (time - track.end > track.patience && this.#fills(track)) {
      this.#silence(track, Math.round((time - track.patience) * timescale(track.about) / 1000));
    }
  }

  #missingPicture(track, time) {
    const {last} = track;
    if (last.key && time - last.time / 90 > 2 * REPEAT) {
      const tick = last.time + 90 * REPEAT;
      track.last.duration = track.samples.length ? 90 * REPEAT : track.last.duration;
      track.add({...last, time: tick, duration: 90_000 * LAST_DURATION});
      track.next = tick + Math.round(track.step * 90);
    } else if (!last.key && time - track.seen > GONE) {
      this.flush();
      this.#start(['audio']);
    }
  }

  // The start

  #comes(kind, time) {
    const {mime, seen} = this.#tracks[kind];
    return mime !== null && seen !== null && time - seen < GONE;
  }

  // A track comes or goes: at a key frame of the pictures, or without pictures at once.
  #adaptKinds(track, {key}, time) {
    if (this.#state.is('starting') || !key) {
      return;
    }
    const {audio} = this.#tracks;
    let kinds = [track.kind];
    if (track.kind === 'video' && (this.#comes('audio', time) || this.#fills(audio))) {
      kinds = ['video', 'audio'];
    } else if (track.kind === 'audio' && (this.#kinds.includes('video') || this.#kinds.includes('audio'))) {
      return;
    }
    if (String(kinds) !== String(this.#kinds)) {
      this.flush();
      this.#start(kinds);
    }
  }

  // The track goes on with silence.
  #fills(track) {
    return this.#kinds.includes('audio') && track.last && track.about &&
      silentFrame(track.about, track.last.data) !== null;
  }

  #kindsKnown() {
    const filled = this.#expected.filter((kind) => this.#tracks[kind].samples.length > 0);
    const waiting = this.#expected.filter((kind) => !this.#unsupported[kind]);
    const any = Object.values(this.#tracks).some(({samples}) => samples.length > 0);
    return any && (filled.length >= waiting.length ||
      Object.values(this.#tracks).some(({samples, about}) => samples.length > 0 &&
        (samples.at(-1).time - samples[0].time) * 1000 / timescale(about) >= HOLD));
  }

  #begin() {
    this.#state.set('flowing');
    this.#start(['video', 'audio'].filter((kind) => this.#tracks[kind].samples.length > 0));
  }

  #start(kinds) {
    this.#kinds = kinds;
    this.#emit({type: 'start', kinds});
    kinds.forEach((kind) => this.#sendInit(this.#tracks[kind]));
    Object.values(this.#tracks).filter(({kind}) => !kinds.includes(kind)).forEach((track) => {
      Object.assign(track, {samples: [], bytes: 0, last: null, needsKey: track.kind === 'video'});
      track.ended = track.end ?? track.ended;
      track.next = null;
    });
  }

  // Output

  #sendInit(track) {
    const {kind, mime, about} = track;
    const data = mime === about.raw ? null : initSegment(about);
    this.#emit({type: 'init', kind, mime, name: about.name, data});
    track.placed = null; // of raw frames: the end of the last ones
  }

  #send(track) {
    const {kind, samples, about, mime} = track;
    if (samples.length === 0 || !this.#state.is('flowing')) {
      return;
    }
    const scale = timescale(about);
    const starts = samples.map(({time, shift}) => time + shift);
    const first = starts.reduce((a, b) => Math.min(a, b));
    const last = samples.at(-1);
    const end = kind === 'video' ? starts.reduce((a, b) => Math.max(a, b)) + track.step * 90 :
      last.time + last.duration;
    const operation = {type: 'media', kind, start: first / scale, end: end / scale};
    if (mime === about.raw) {
      operation.at = track.placed === first ? null : operation.start;
      track.placed = end;
      operation.data = concat(samples.map(({data}) => data));
    } else {
      operation.data = mediaSegment(++this.#sequence, samples);
    }
    Object.assign(track, {samples: [], bytes: 0});
    this.#emit(operation);
  }
}

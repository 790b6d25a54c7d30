// SPDX-License-Identifier: LGPL-2.1-or-later
// A MediaSource with one SourceBuffer per track: queues segments, changes types, removes media that
// has been shown. Takes the operations of remux.js. Events go to a callback:
//   {type: 'appended', edge}     all tracks are buffered up to edge, s
//   {type: 'failed', reason}     the MediaSource is of no use any more

import {concat} from './mp4.js';
import {States} from './states.js';

const KEEP = 8; // s of media behind the position
const SLACK = 12; // s more before it is removed
const KEEP_WHEN_FULL = 5; // s of the newest media
const MOST_QUEUED = 32 * 2 ** 20; // bytes

const browser = () => ({
  MediaSource: globalThis.ManagedMediaSource ?? globalThis.MediaSource,
  createUrl: (source) => URL.createObjectURL(source),
  revokeUrl: (url) => URL.revokeObjectURL(url),
});

export const supports = (type) => Boolean(browser().MediaSource?.isTypeSupported(type));

export class Buffers {
  #video;
  #emit;
  #env;
  #source = null;
  #url = null;
  #tracks = {}; // by kind: {queue, buffer, type, end}
  #queued = 0; // bytes
  #state = new States({
    closed: ['opening'],
    opening: ['open', 'failed', 'closed'],
    open: ['failed', 'closed'],
    failed: ['closed'],
  }, 'closed');

  constructor(video, emit, env = browser()) {
    this.#video = video;
    this.#emit = emit;
    this.#env = env;
  }

  take(operation) {
    if (operation.type === 'start') {
      this.#start(operation.kinds);
    } else if (this.#state.is('opening', 'open')) {
      this.#tracks[operation.kind].queue.push(operation);
      this.#queued += operation.data?.length ?? 0;
      if (this.#queued > MOST_QUEUED) {
        this.#fail('The browser does not take the media.');
      } else {
        this.#pump(operation.kind);
      }
    }
  }

  // Up to where all tracks are buffered, s; null before that.
  get edge() {
    const ends = Object.values(this.#tracks).map(({end}) => end);
    return ends.length === 0 || ends.includes(null) ? null : Math.min(...ends);
  }

  close() {
    if (this.#state.is('closed')) {
      return;
    }
    this.#state.set('closed');
    this.#source = null;
    this.#tracks = {};
    this.#queued = 0;
    this.#env.revokeUrl(this.#url);
  }

  #start(kinds) {
    this.close();
    this.#state.set('opening');
    const source = new this.#env.MediaSource();
    this.#source = source;
    for (const kind of kinds) {
      this.#tracks[kind] = {queue: [], buffer: null, type: null, end: null};
    }
    source.addEventListener('sourceopen', () => {
      if (this.#source === source && this.#state.is('opening')) {
        this.#state.set('open');
        this.#addBuffers();
      }
    });
    this.#url = this.#env.createUrl(source);
    this.#video.disableRemotePlayback = true; // or a ManagedMediaSource does not open
    this.#video.src = this.#url;
  }

  // All before the first append: the set is fixed from then on.
  #addBuffers() {
    if (Object.values(this.#tracks).some(({queue}) => queue.length === 0)) {
      return;
    }
    try {
      for (const [kind, track] of Object.entries(this.#tracks)) {
        track.type = track.queue[0].mime;
        track.buffer = this.#source.addSourceBuffer(track.type);
        track.buffer.addEventListener('updateend', () => this.#pump(kind));
        track.buffer.addEventListener('error', () => this.#fail('The browser cannot decode the stream.'));
      }
    } catch {
      this.#fail('The browser cannot decode the stream.');
      return;
    }
    Object.keys(this.#tracks).forEach((kind) => this.#pump(kind));
  }

  #pump(kind) {
    const track = this.#tracks[kind];
    if (!this.#state.is('open') || !track) {
      return;
    }
    if (!track.buffer) {
      this.#addBuffers();
      return;
    }
    try {
      while (!track.buffer.updating && track.queue.length > 0) {
        this.#append(track);
      }
      if (!track.buffer.updating) {
        this.#removeShown(track);
      }
    } catch (error) {
      if (error.name === 'QuotaExceededError' && this.#makeRoom(track)) {
        return; // goes on at updateend
      }
      this.#fail('The browser does not take the media.');
    }
  }

  #append(track) {
    const [first] = track.queue;
    if (first.type === 'init' && first.mime !== track.type) {
      track.buffer.changeType(first.mime);
      track.type = first.mime;
    }
    if (first.at != null) {
      track.buffer.timestampOffset = first.at;
    }
    const {data, count} = joined(track.queue);
    if (data) {
      track.buffer.appendBuffer(data);
    }
    const done = track.queue.splice(0, count);
    this.#queued -= data?.length ?? 0;
    if (first.type === 'media') {
      track.end = done.at(-1).end;
      this.#emit({type: 'appended', edge: this.edge});
    }
  }

  #removeShown({buffer}) {
    const {currentTime} = this.#video;
    const {buffered} = buffer;
    if (buffered.length > 0 && currentTime - buffered.start(0) > KEEP + SLACK) {
      buffer.remove(0, currentTime - KEEP);
    }
  }

  // False if there is nothing to remove.
  #makeRoom({buffer, end}) {
    const {buffered} = buffer;
    const until = Math.max(this.#video.currentTime - 1, (end ?? 0) - KEEP_WHEN_FULL);
    if (buffered.length === 0 || buffered.start(0) >= until) {
      return false;
    }
    buffer.remove(0, until);
    return true;
  }

  #fail(reason) {
    if (this.#state.is('opening', 'open')) {
      this.#state.set('failed');
      this.#tracks = {};
      this.#queued = 0;
      this.#emit({type: 'failed', reason});
    }
  }
}

// The media at the front of a queue as one append.
function joined(queue) {
  let count = 1;
  while (queue[0].type === 'media' && queue[count]?.type === 'media' && queue[count].at == null) {
    count++;
  }
  return {data: count === 1 ? queue[0].data : concat(queue.slice(0, count).map(({data}) => data)), count};
}

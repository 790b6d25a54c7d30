// SPDX-License-Identifier: LGPL-2.1-or-later
// Decides how playback stays near the live edge: by ±5 % of speed for small errors, by a jump for
// large ones and for holes. Plain values in, decisions out; times in s.

const LEAST = 0.12; // the target for a network that delivers without jitter
const MOST = 3;
const MOST_JITTER = 0.8; // a longer interruption does not raise the target
const WINDOW = 10; // in which the jitter of arrival is measured
const SETTLE = 0.7; // after a connection begins: the burst of the server is no jitter
const STALL_PENALTY = 0.15; // more target after each stall
const RECOVERY = 0.01; // less of it per second
const FAST = 1.05;
const SLOW = 0.95;
const OFF = 0.1; // error at which the speed changes
const NEAR = 0.02; // error at which it is normal again
const FAR = 1; // error at which playback jumps
const FAR_AFTER_SLEEP = 0.3; // likewise, when the page was in the background
const HOLE = 0.05; // nearer to a hole than this: jumps over it
const REST = 0.5; // between jumps

export class DelayKeeper {
  #arrivals = []; // {time, late}: how much later than at best; in a window
  #edge = null;
  #since = 0; // of the connection
  #penalty = 0;
  #penaltyTime = 0;
  #rate = 1;
  #jumped = -Infinity;

  // A connection begins, or the timeline changes.
  begin(now) {
    this.#arrivals = [];
    this.#edge = null;
    this.#since = now;
    this.#jumped = -Infinity;
  }

  // Media up to `edge` has arrived.
  arrived(now, edge) {
    if (now - this.#since > SETTLE && this.#edge !== null) {
      // Just before the arrival, the last edge was this late.
      this.#arrivals.push({time: now, before: now - this.#edge, after: now - edge});
    }
    this.#arrivals = this.#arrivals.filter(({time}) => now - time < WINDOW);
    this.#edge = edge;
  }

  // Playback ran out of media.
  stalled(now) {
    this.#penalty = Math.min(MOST, this.#decayed(now) + STALL_PENALTY);
    this.#penaltyTime = now;
  }

  #decayed(now) {
    return Math.max(0, this.#penalty - RECOVERY * (now - this.#penaltyTime));
  }

  get jitter() {
    if (this.#arrivals.length === 0) {
      return 0.1;
    }
    const most = this.#arrivals.reduce((value, {before}) => Math.max(value, before), -Infinity);
    const least = this.#arrivals.reduce((value, {after}) => Math.min(value, after), Infinity);
    return Math.min(MOST_JITTER, most - least);
  }

  // The delay to keep.
  target(now) {
    return Math.min(MOST, LEAST + this.jitter + this.#decayed(now));
  }

  // ranges: [[start, end]] of the buffered media. slept: the page returns from the background.
  // Returns {rate} and, for a jump, {seek}.
  decide({now, position, edge, ranges, slept = false}) {
    if (ranges.length === 0) {
      return {rate: this.#rate};
    }
    const target = this.target(now);
    const error = edge - position - target;
    const [start, end] = ranges.at(-1);
    const live = Math.min(Math.max(start, edge - target), Math.max(start, end - HOLE));
    const rested = now - this.#jumped > REST;
    if (this.#inHole(position, ranges)) {
      return this.#jump(now, live);
    }
    if (live > position && (slept ? error > FAR_AFTER_SLEEP : rested && error > FAR)) {
      return this.#jump(now, live);
    }
    // A position after the media does not get better by waiting, if the timeline was set back.
    if (rested && position > edge + FAR) {
      return this.#jump(now, live);
    }
    return {rate: this.#speed(error)};
  }

  #inHole(position, ranges) {
    const [last] = ranges.at(-1);
    return position < last && !ranges.some(([start, end]) => position >= start && position < end - HOLE);
  }

  #jump(now, seek) {
    this.#jumped = now;
    this.#rate = 1;
    return {rate: 1, seek};
  }

  #speed(error) {
    if (error > OFF) {
      this.#rate = FAST;
    } else if (error < -OFF) {
      this.#rate = SLOW;
    } else if (Math.abs(error) < NEAR || (error > 0) !== (this.#rate > 1)) {
      this.#rate = 1;
    }
    return this.#rate;
  }
}

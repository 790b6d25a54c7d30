// SPDX-License-Identifier: LGPL-2.1-or-later
// A clock and a MediaSource for the tests.

export class Clock {
  time = 0;
  #timers = [];

  env = {
    now: () => this.time,
    setTimeout: (act, wait) => {
      const timer = {act, at: this.time + wait};
      this.#timers.push(timer);
      return timer;
    },
    clearTimeout: (timer) => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    },
  };

  advance(by) {
    const end = this.time + by;
    for (;;) {
      const [first] = this.#timers.filter(({at}) => at <= end).sort((a, b) => a.at - b.at);
      if (!first) {
        break;
      }
      this.time = first.at;
      this.env.clearTimeout(first);
      first.act();
    }
    this.time = end;
  }

  // Until the next timer has run.
  next() {
    this.advance(Math.min(...this.#timers.map(({at}) => at)) - this.time);
  }
}

class Ranges {
  constructor(ranges) {
    this.ranges = ranges;
    this.length = ranges.length;
  }

  start(at) {
    return this.ranges[at][0];
  }

  end(at) {
    return this.ranges[at][1];
  }
}

class FakeSourceBuffer extends EventTarget {
  updating = false;
  calls = [];
  ranges = [];
  refuse = null; // the name of an error of the next append

  constructor(type) {
    super();
    this.type = type;
  }

  get buffered() {
    return new Ranges(this.ranges);
  }

  appendBuffer(data) {
    if (this.updating) {
      throw new DOMException('busy', 'InvalidStateError');
    }
    if (this.refuse) {
      const name = this.refuse;
      this.refuse = null;
      throw new DOMException('no', name);
    }
    this.updating = true;
    this.calls.push(['append', data.length]);
  }

  remove(from, to) {
    this.updating = true;
    this.calls.push(['remove', from, to]);
  }

  changeType(type) {
    this.calls.push(['changeType', type]);
  }

  finish() {
    this.updating = false;
    this.dispatchEvent(new Event('updateend'));
  }
}

export class FakeMediaSource extends EventTarget {
  static made = [];
  static isTypeSupported = () => true;
  buffers = [];
  isOpen = false;

  constructor() {
    super();
    FakeMediaSource.made.push(this);
  }

  open() {
    this.isOpen = true;
    this.dispatchEvent(new Event('sourceopen'));
  }

  addSourceBuffer(type) {
    if (!this.isOpen) {
      throw new DOMException('closed', 'InvalidStateError');
    }
    const buffer = new FakeSourceBuffer(type);
    this.buffers.push(buffer);
    return buffer;
  }
}

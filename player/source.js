// SPDX-License-Identifier: LGPL-2.1-or-later
// Receives the bytes of a stream over fetch or WebSocket, and reconnects with back-off. Events go to
// a callback:
//   {type: 'open'}               a connection is there; a stream begins
//   {type: 'data', bytes}
//   {type: 'waiting', reason}    reconnects in a moment
//   {type: 'stopped', reason}    the reason is permanent
// If a WebSocket does not open, the same address is tried over fetch, which also tells the reason.

import {States} from './states.js';

const FIRST_RETRY = 250; // ms; doubles with each failure
const LAST_RETRY = 8000; // ms
const PROVEN = 3000; // ms of data that reset the number of failures
const QUIET = 8000; // ms without data: reconnects; doubles each time, since some streams are slow
const MOST_QUIET = 60_000; // ms
const TRANSIENT = [408, 425, 429];

const REASONS = {
  401: 'The server refuses access (401).',
  403: 'The server refuses access (403).',
  404: 'There is no stream at this address (404).',
  410: 'The stream is gone (410).',
  503: 'The stream has not started, or the server is full (503).',
};

const isPermanent = (status) => status >= 400 && status < 500 && !TRANSIENT.includes(status);

const browser = () => ({
  fetch: (...about) => fetch(...about),
  WebSocket: globalThis.WebSocket,
  setTimeout: (...about) => setTimeout(...about),
  clearTimeout: (timer) => clearTimeout(timer),
  now: () => performance.now(),
  random: Math.random,
});

export class Source {
  #url;
  #emit;
  #env;
  #connection = null; // {close, since}; events of former connections are ignored
  #timer = null; // of the retry, or of the time without data
  #failures = 0;
  #quiet = QUIET;
  #transport;
  #state = new States({
    idle: ['connecting', 'stopped'],
    connecting: ['receiving', 'waiting', 'stopped'],
    receiving: ['waiting', 'stopped'],
    waiting: ['connecting', 'stopped'],
    stopped: [],
  }, 'idle');

  // url: absolute, of http, https, ws or wss
  constructor(url, emit, env = browser()) {
    this.#url = url;
    this.#emit = emit;
    this.#env = env;
    this.#transport = /^ws/i.test(url) ? 'WebSocket' : 'fetch';
  }

  start() {
    this.#connect();
  }

  stop() {
    if (!this.#state.is('stopped')) {
      this.#state.set('stopped');
      this.#disconnect();
    }
  }

  // Reconnects at once if it waits.
  wake() {
    if (this.#state.is('waiting')) {
      this.#connect();
    }
  }

  // Gives the connection up and makes another one.
  restart(reason) {
    this.#lose(reason);
  }

  #connect() {
    this.#disconnect();
    this.#state.set('connecting');
    this.#watch();
    if (this.#transport === 'WebSocket' && this.#env.WebSocket) {
      this.#openSocket();
    } else {
      this.#openFetch();
    }
  }

  #disconnect() {
    this.#env.clearTimeout(this.#timer);
    const connection = this.#connection;
    this.#connection = null;
    connection?.close();
  }

  #watch() {
    this.#env.clearTimeout(this.#timer);
    this.#timer = this.#env.setTimeout(() => {
      this.#quiet = Math.min(MOST_QUIET, 2 * this.#quiet);
      this.#lose('The server sends no data.');
    }, this.#quiet);
  }

  #opened() {
    this.#state.set('receiving');
    this.#connection.since = this.#env.now();
    this.#watch();
    this.#emit({type: 'open'});
  }

  #received(bytes) {
    if (this.#env.now() - this.#connection.since > PROVEN) {
      this.#failures = 0;
    }
    this.#watch();
    this.#emit({type: 'data', bytes});
  }

  #lose(reason, least = 0) {
    if (!this.#state.is('connecting', 'receiving')) {
      return;
    }
    this.#disconnect();
    this.#state.set('waiting');
    const backoff = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** this.#failures++);
    const wait = Math.max(least, backoff * (0.75 + this.#env.random() / 2));
    this.#timer = this.#env.setTimeout(() => this.#connect(), wait);
    this.#emit({type: 'waiting', reason});
  }

  #refused(status, headers) {
    const reason = REASONS[status] ?? `The server answered ${status}.`;
    if (isPermanent(status)) {
      this.stop();
      this.#emit({type: 'stopped', reason});
    } else {
      this.#lose(reason, Math.min(LAST_RETRY, 1000 * (Number(headers.get('Retry-After')) || 0)));
    }
  }

  async #openFetch() {
    const control = new AbortController();
    const connection = {close: () => control.abort()};
    this.#connection = connection;
    const isCurrent = () => this.#connection === connection;
    const address = this.#url.replace(/^ws/i, 'http');
    try {
      const response = await this.#env.fetch(address, {signal: control.signal, cache: 'no-store'});
      if (!isCurrent()) {
        return;
      }
      if (!response.ok || !response.body) {
        connection.close();
        this.#refused(response.status, response.headers);
        return;
      }
      this.#transport = 'fetch';
      this.#opened();
      const reader = response.body.getReader();
      while (isCurrent()) {
        const {done, value} = await reader.read();
        if (!isCurrent()) {
          return;
        }
        if (done) {
          this.#lose('The stream has ended.');
        } else {
          this.#received(value);
        }
      }
    } catch {
      if (isCurrent()) {
        this.#lose(this.#state.is('receiving') ? 'The connection was lost.' : 'The connection failed.');
      }
    }
  }

  #openSocket() {
    const socket = new this.#env.WebSocket(this.#url);
    const connection = {close: () => socket.close()};
    this.#connection = connection;
    const on = (event, act) => {
      socket[event] = (about) => this.#connection === connection && act(about);
    };
    socket.binaryType = 'arraybuffer';
    on('onopen', () => this.#opened());
    on('onmessage', ({data}) => typeof data === 'string' || this.#received(new Uint8Array(data)));
    on('onclose', ({wasClean}) => {
      if (this.#state.is('connecting')) {
        this.#openFetch();
      } else {
        this.#lose(wasClean ? 'The stream has ended.' : 'The connection was lost.');
      }
    });
  }
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// <flv-player src="ADDRESS" autoplay muted debug>: plays a live FLV stream over fetch or WebSocket.
// Properties: state, reason. Methods: play(), stop(). Event: statechange. See docs/player.md.

import {Buffers, supports} from './buffer.js';
import {DelayKeeper} from './delay.js';
import {FlvParser, StreamError} from './flv.js';
import {Remuxer, unsupportedText} from './remux.js';
import {Source} from './source.js';
import {States} from './states.js';

const TICK = 100; // ms
const MOST_FAILURES = 3; // of the decoder, within MINUTE
const MINUTE = 60_000; // ms

const STATES = {
  idle: ['connecting', 'stopped'],
  connecting: ['playing', 'reconnecting', 'idle', 'stopped'],
  playing: ['waiting', 'reconnecting', 'idle', 'stopped'],
  waiting: ['playing', 'reconnecting', 'idle', 'stopped'],
  reconnecting: ['connecting', 'idle', 'stopped'],
  stopped: ['connecting', 'idle'],
};
const TEXTS = {idle: '', connecting: 'Connecting…', playing: '', waiting: 'Waiting for data…'};

const ICONS = {
  play: 'M8 5v14l11-7z',
  sound: 'M3 9v6h4l5 5V4L7 9zM16 8a5 5 0 0 1 0 8M18 5a9 9 0 0 1 0 14',
  muted: 'M3 9v6h4l5 5V4L7 9zM16 9l6 6M22 9l-6 6',
  full: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
};
const icon = (name) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;

const HTML = `
<video playsinline part="video" aria-label="Live stream"></video><canvas hidden></canvas>
<p id="status" role="status"></p><p id="notice" role="status"></p>
<button id="play" aria-label="Play">${icon('play')}</button>
<button id="unmute" hidden>Turn the sound on</button>
<div id="bar"><button id="mute"></button>
<input id="volume" type="range" min="0" max="1" step="0.05" aria-label="Volume">
<button id="full" aria-label="Full screen">${icon('full')}</button></div>
<dl hidden></dl>`;

const CSS = `
:host{display:block;position:relative;aspect-ratio:16/9;overflow:hidden;background:#000;color:#fff;
  font:1rem/1.4 system-ui,sans-serif}
:host([hidden]),[hidden]{display:none!important}
video,canvas{position:absolute;inset:0;width:100%;height:100%;object-fit:contain}
button,input{font:inherit;color:inherit;accent-color:#fff;cursor:pointer}
button{display:grid;place-items:center;min-width:2.75rem;height:2.75rem;padding:0 .5rem;border:0;
  border-radius:.5rem;background:#000a}
button:hover{background:#333c}
:focus-visible{outline:3px solid #7db8f5;outline-offset:-3px}
svg{width:1.5rem;fill:none;stroke:currentColor;stroke-width:2}
p{position:absolute;inset:1rem 1rem auto;width:fit-content;max-width:calc(100% - 2rem);margin:0 auto;
  padding:.3rem .9rem;border-radius:1rem;background:#000c;text-align:center}
#notice{top:3.5rem}
p:empty{display:none}
#play{position:absolute;inset:0;margin:auto;width:4.5rem;height:4.5rem;border-radius:50%}
#play svg{width:2.5rem;fill:currentColor}
#unmute{position:absolute;inset:auto 0 4.5rem;margin:auto;width:fit-content;background:#fff;color:#000}
#bar{position:absolute;inset:auto 0 0;display:flex;gap:.25rem;align-items:center;padding:.5rem;
  background:linear-gradient(#0000,#000a);transition:opacity .2s}
#volume{width:6rem}
#full{margin-left:auto}
:host([quiet]){cursor:none}
:host([quiet]) #bar:not(:focus-within){opacity:0}
dl{position:absolute;inset:.5rem auto auto .5rem;display:grid;grid-template-columns:auto auto;
  gap:0 .75rem;margin:0;padding:.5rem;background:#000c;font:.8rem/1.4 monospace;pointer-events:none}
dd{margin:0}
@media (prefers-reduced-motion:reduce){#bar{transition:none}}`;

const seconds = () => performance.now() / 1000;

class FlvPlayer extends HTMLElement {
  static observedAttributes = ['src', 'debug'];

  reason = ''; // why it stopped or waits
  #state = new States(STATES, 'idle', () => this.#show());
  #video;
  #parts; // elements by id
  #buffers;
  #delay = new DelayKeeper();
  #source = null;
  #parser = null;
  #remuxer = null;
  #names = {}; // of the codecs, by kind
  #failures = []; // times
  #timer = null;
  #quietTimer = null;
  #total = {bytes: 0, connections: 0, speed: 0, since: 0, counted: 0};
  #wake = () => this.#wakeUp();

  constructor() {
    super();
    const root = this.attachShadow({mode: 'open', delegatesFocus: true});
    root.innerHTML = HTML;
    const style = new CSSStyleSheet();
    style.replaceSync(CSS);
    root.adoptedStyleSheets = [style];
    this.#video = root.querySelector('video');
    this.#parts = Object.fromEntries(Array.from(root.querySelectorAll('[id]'), (part) => [part.id, part]));
    this.#buffers = new Buffers(this.#video, (event) => this.#onBuffers(event));
    this.#listen();
  }

  get state() {
    return this.#state.value;
  }

  connectedCallback() {
    document.addEventListener('visibilitychange', this.#wake);
    addEventListener('online', this.#wake);
    this.#video.muted = this.hasAttribute('muted');
    this.#show();
    if (this.hasAttribute('autoplay') && this.hasAttribute('src')) {
      this.play();
    }
  }

  disconnectedCallback() {
    document.removeEventListener('visibilitychange', this.#wake);
    removeEventListener('online', this.#wake);
    this.stop();
  }

  attributeChangedCallback(name, before, after) {
    if (name === 'src' && this.isConnected && before !== after) {
      const plays = !this.#state.is('idle', 'stopped') || this.hasAttribute('autoplay');
      this.stop();
      if (plays && after) {
        this.play();
      }
    }
  }

  // Connects, and plays from the live edge.
  play() {
    if (!this.#state.is('idle', 'stopped')) {
      return;
    }
    const address = URL.parse?.(this.getAttribute('src') ?? '', document.baseURI) ??
      new URL(this.getAttribute('src') ?? '', document.baseURI);
    if (!/^(https?|wss?):$/.test(address.protocol)) {
      this.#end('The address has to start with http, https, ws or wss.');
      return;
    }
    if (!supports('video/mp4; codecs="avc1.42E01E"')) {
      this.#end('This browser cannot play live streams.');
      return;
    }
    this.reason = '';
    this.#failures = [];
    this.#state.set('connecting');
    this.#remuxer = new Remuxer((operation) => this.#onMedia(operation), supports);
    this.#source = new Source(address.href, (event) => this.#onSource(event));
    this.#source.start();
    this.#timer = setInterval(() => this.#tick(), TICK);
    this.#video.play().catch((error) => this.#refused(error));
  }

  // Disconnects. The last picture stays.
  stop() {
    this.#close();
    this.reason = '';
    if (!this.#state.is('idle')) {
      this.#state.set('idle');
    }
  }

  #end(reason) {
    this.#close();
    this.reason = reason;
    this.#state.set('stopped');
  }

  #close() {
    clearInterval(this.#timer);
    this.#source?.stop();
    this.#source = null;
    this.#parser = null;
    this.#keepPicture();
    this.#buffers.close();
    this.#video.removeAttribute('src');
    this.#parts.notice.textContent = '';
  }

  // Data

  #onSource({type, bytes, reason}) {
    if (type === 'open') {
      this.#total.connections++;
      this.#parser = new FlvParser((item) => this.#remuxer.take(item));
      this.#remuxer.discontinuity();
      this.#delay.begin(seconds());
      if (this.#state.is('reconnecting')) {
        this.reason = '';
        this.#state.set('connecting');
      }
    } else if (type === 'data') {
      this.#total.bytes += bytes.length;
      this.#parse(bytes);
    } else if (type === 'waiting') {
      this.reason = `${reason} Reconnecting…`;
      if (!this.#state.is('reconnecting')) {
        this.#state.set('reconnecting');
      } else {
        this.#show();
      }
    } else {
      this.#end(reason);
    }
  }

  #parse(bytes) {
    try {
      this.#parser.push(bytes);
      this.#remuxer.flush();
    } catch (error) {
      if (!(error instanceof StreamError)) {
        throw error;
      }
      this.#end(error.message);
    }
  }

  #onMedia(operation) {
    if (operation.type === 'unsupported') {
      this.#parts.notice.textContent = unsupportedText(operation);
      return;
    }
    if (operation.type === 'start') {
      this.#names = {};
      this.#keepPicture();
    } else if (operation.type === 'init') {
      this.#names[operation.kind] = operation.name;
    }
    this.#buffers.take(operation);
    if (operation.type === 'start') {
      this.#video.play().catch((error) => this.#refused(error));
    }
  }

  #onBuffers({type, edge, reason}) {
    if (type === 'appended') {
      if (edge !== null) {
        this.#delay.arrived(seconds(), edge);
        this.#control();
      }
      return;
    }
    const now = performance.now();
    this.#failures = [...this.#failures.filter((time) => now - time < MINUTE), now];
    if (this.#failures.length >= MOST_FAILURES) {
      this.#end(reason);
    } else {
      this.#remuxer = new Remuxer((operation) => this.#onMedia(operation), supports);
      this.#source.restart(reason);
    }
  }

  // Playback

  #control(slept = false) {
    const video = this.#video;
    const {edge} = this.#buffers;
    if (edge === null || video.seeking) {
      return;
    }
    const ranges = Array.from(video.buffered, (_, at) => [video.buffered.start(at), video.buffered.end(at)]);
    const {rate, seek} = this.#delay.decide({now: seconds(), position: video.currentTime, edge, ranges,
                                             slept});
    if (seek !== undefined) {
      video.currentTime = seek;
    }
    if (video.playbackRate !== rate) {
      video.playbackRate = rate;
    }
  }

  #tick() {
    this.#control();
    this.#count();
  }

  // The page is in front again, or the network is back.
  #wakeUp() {
    if (this.#source && !document.hidden) {
      this.#source.wake();
      this.#control(true);
      if (this.#video.paused) {
        this.#video.play().catch((error) => this.#refused(error));
      }
    }
  }

  // Browsers play sound only after a click.
  #refused({name}) {
    if (name !== 'NotAllowedError' || !this.#source) {
      return;
    }
    if (this.#video.muted) {
      this.stop();
    } else {
      this.#video.muted = true;
      this.#parts.unmute.hidden = false;
      this.#video.play().catch((error) => this.#refused(error));
    }
  }

  #onPlaying() {
    this.#parts.unmute.parentNode.querySelector('canvas').hidden = true;
    if (this.#state.is('connecting', 'waiting')) {
      this.#state.set('playing');
    }
  }

  #onWaiting() {
    if (this.#state.is('playing') && !this.#video.seeking) {
      this.#delay.stalled(seconds());
      this.#state.set('waiting');
    }
  }

  // The last picture covers the video until the next MediaSource has one.
  #keepPicture() {
    const video = this.#video;
    if (video.readyState >= 2 && video.videoWidth) {
      const canvas = this.shadowRoot.querySelector('canvas');
      Object.assign(canvas, {width: video.videoWidth, height: video.videoHeight, hidden: false});
      canvas.getContext('2d').drawImage(video, 0, 0);
    }
  }

  // Display

  #listen() {
    const video = this.#video;
    const {play, unmute, mute, volume, full} = this.#parts;
    video.addEventListener('playing', () => this.#onPlaying());
    video.addEventListener('waiting', () => this.#onWaiting());
    video.addEventListener('timeupdate', () => this.#control());
    video.addEventListener('volumechange', () => this.#showVolume());
    video.addEventListener('pause', () => {
      // By a media key; while the page is hidden, by the browser.
      if (this.#source && video.readyState >= 2 && !document.hidden && video.src) {
        this.stop();
      }
    });
    video.addEventListener('error', () => {
      if (this.#source && video.error) {
        this.#onBuffers({type: 'failed', reason: 'The browser cannot decode the stream.'});
      }
    });
    const toggleMute = () => {
      video.muted = !video.muted;
    };
    play.onclick = () => this.play();
    unmute.onclick = mute.onclick = toggleMute;
    volume.oninput = () => {
      video.muted = false;
      video.volume = volume.value;
    };
    full.onclick = () => this.#toggleFullScreen();
    this.addEventListener('pointermove', () => this.#showBar());
    this.addEventListener('pointerdown', () => this.#showBar());
    this.addEventListener('keydown', ({key, ctrlKey, altKey, metaKey}) => {
      if (!ctrlKey && !altKey && !metaKey) {
        ({m: toggleMute, f: full.onclick})[key]?.();
      }
      this.#showBar();
    });
  }

  #toggleFullScreen() {
    if (document.fullscreenElement === this) {
      document.exitFullscreen();
    } else if (this.requestFullscreen) {
      this.requestFullscreen();
    } else {
      this.#video.webkitEnterFullscreen(); // iPhone
    }
  }

  #showBar() {
    clearTimeout(this.#quietTimer);
    this.removeAttribute('quiet');
    this.#quietTimer = setTimeout(() => this.toggleAttribute('quiet', this.#state.is('playing')), 3000);
  }

  #show() {
    const {status, play} = this.#parts;
    const text = this.reason || TEXTS[this.state];
    if (status.textContent !== text) {
      status.textContent = text;
    }
    play.hidden = !this.#state.is('idle', 'stopped');
    this.#showVolume();
    this.#showBar();
    this.dispatchEvent(new Event('statechange'));
  }

  #showVolume() {
    const {mute, volume, unmute} = this.#parts;
    const {muted} = this.#video;
    mute.innerHTML = icon(muted ? 'muted' : 'sound');
    mute.setAttribute('aria-label', muted ? 'Turn the sound on' : 'Mute');
    volume.value = muted ? 0 : this.#video.volume;
    unmute.hidden ||= !muted;
  }

  #count() {
    const panel = this.shadowRoot.querySelector('dl');
    panel.hidden = !this.hasAttribute('debug');
    const now = seconds();
    if (now - this.#total.since < 1) {
      return;
    }
    const total = this.#total;
    total.speed = (total.bytes - total.counted) * 8 / 1000 / (now - total.since);
    Object.assign(total, {since: now, counted: total.bytes});
    panel.innerHTML = panel.hidden ? '' : Object.entries(this.figures).map(
      ([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join('');
  }

  // What the debug display shows.
  get figures() {
    const video = this.#video;
    const {edge} = this.#buffers;
    const {totalVideoFrames, droppedVideoFrames} = video.getVideoPlaybackQuality();
    return {
      state: this.state,
      delay: edge === null ? null : +(edge - video.currentTime).toFixed(3),
      target: +this.#delay.target(seconds()).toFixed(3),
      rate: video.playbackRate,
      kbps: Math.round(this.#total.speed),
      codecs: Object.values(this.#names).join(' '),
      size: `${video.videoWidth}x${video.videoHeight}`,
      frames: totalVideoFrames,
      dropped: droppedVideoFrames,
      connections: this.#total.connections,
    };
  }
}

customElements.define('flv-player', FlvPlayer);

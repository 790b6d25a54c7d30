// SPDX-License-Identifier: LGPL-2.1-or-later
// <flv-player src="ADDRESS" autoplay muted debug> plays a live FLV stream: see docs/player.md.

import {Buffers, supports} from './buffer.js';
import {DelayKeeper} from './delay.js';
import {FlvParser, StreamError} from './flv.js';
import {Remuxer, unsupportedText} from './remux.js';
import {Source} from './source.js';
import {States} from './states.js';

const TICK = 100; // ms
const MOST_SLEEP = 1; // s between ticks
const MOST_FAILURES = 3; // of the decoder in a minute
const UNDECODABLE = 'The browser cannot decode the stream.';

const STATES = {
  idle: ['connecting', 'stopped'],
  connecting: ['playing', 'reconnecting', 'idle', 'stopped'],
  playing: ['waiting', 'reconnecting', 'idle', 'stopped'],
  waiting: ['playing', 'reconnecting', 'idle', 'stopped'],
  reconnecting: ['connecting', 'idle', 'stopped'],
  stopped: ['connecting', 'idle', 'stopped'],
};
const TEXTS = {connecting: 'Connecting…', waiting: 'Waiting for data…'};

const icon = (path) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;
const SOUND = icon('M3 9v6h4l5 5V4L7 9zM16 8a5 5 0 0 1 0 8M18 5a9 9 0 0 1 0 14');
const MUTED = icon('M3 9v6h4l5 5V4L7 9zM16 9l6 6M22 9l-6 6');

const HTML = `<video playsinline aria-label="Live stream"></video><canvas hidden></canvas>
<p id="status" role="status"></p><p id="notice" role="status"></p>
<button id="play" aria-label="Play">${icon('M8 5v14l11-7z')}</button>
<button id="unmute" hidden>Turn the sound on</button>
<div id="bar"><button id="mute"></button>
<input id="volume" type="range" min="0" max="1" step="0.05" aria-label="Volume">
<button id="full" aria-label="Full screen">${icon('M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5')}</button></div>
<pre id="figures" hidden></pre>`;

const CSS = `
:host{display:block;position:relative;aspect-ratio:16/9;overflow:hidden;background:#000;color:#fff;
  font:1rem/1.4 system-ui,sans-serif}
[hidden]{display:none!important}
video,canvas{position:absolute;inset:0;width:100%;height:100%;object-fit:contain}
button,input{font:inherit;color:inherit;accent-color:#fff}
button{display:grid;place-items:center;min-width:2.75rem;height:2.75rem;padding:0 .5rem;border:0;
  border-radius:.5rem;background:#000a}
:focus-visible{outline:3px solid #7db8f5;outline-offset:-3px}
svg{width:1.5rem;fill:none;stroke:currentColor;stroke-width:2}
p{position:absolute;inset:1rem 1rem auto;width:fit-content;margin:0 auto;padding:.3rem .9rem;
  border-radius:1rem;background:#000c;text-align:center}
p:empty{display:none}
#notice{top:3.5rem}
#play,#unmute{position:absolute;inset:0;margin:auto;width:4.5rem;height:4.5rem;border-radius:50%}
#play svg{width:2.5rem;fill:currentColor}
#unmute{inset:auto 0 4.5rem;width:fit-content;height:2.75rem;border-radius:.5rem;background:#fff;color:#000}
#bar{position:absolute;inset:auto 0 0;display:flex;align-items:center;padding:.5rem;
  background:linear-gradient(#0000,#000a);transition:opacity .2s}
#volume{width:6rem;margin:.5rem}
#full{margin-left:auto}
:host([quiet]) #bar:not(:focus-within){opacity:0}
pre{position:absolute;inset:.5rem auto auto .5rem;margin:0;padding:.5rem;background:#000c;font-size:.8rem;
  pointer-events:none}
@media (prefers-reduced-motion){#bar{transition:none}}`;

const seconds = () => performance.now() / 1000;

class FlvPlayer extends HTMLElement {
  static observedAttributes = ['src'];

  reason = ''; // why it does not play
  #state = new States(STATES, 'idle', () => this.#show());
  #video;
  #canvas; // the last picture, while there is no other
  #parts; // elements by id
  #buffers;
  #delay = new DelayKeeper();
  #source = null;
  #parser = null;
  #remuxer = null;
  #codecs = {}; // names by kind
  #failures = []; // times, s
  #timer = null;
  #quietTimer = null;
  #connections = 0;
  #ticked = 0; // s
  #wake = () => this.#wakeUp();

  constructor() {
    super();
    const root = this.attachShadow({mode: 'open'});
    root.innerHTML = HTML;
    const style = new CSSStyleSheet();
    style.replaceSync(CSS);
    root.adoptedStyleSheets = [style];
    this.#video = root.querySelector('video');
    this.#canvas = root.querySelector('canvas');
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
    this.attributeChangedCallback();
  }

  disconnectedCallback() {
    document.removeEventListener('visibilitychange', this.#wake);
    removeEventListener('online', this.#wake);
    this.stop();
  }

  // The address is set or changes.
  attributeChangedCallback() {
    if (this.isConnected) {
      const plays = this.#source || this.hasAttribute('autoplay');
      this.stop();
      if (plays && this.getAttribute('src')) {
        this.play();
      }
    }
  }

  // Connects, and plays from the live edge.
  play() {
    if (this.#source) {
      return;
    }
    let url = {};
    try {
      url = new URL(this.getAttribute('src') ?? '', document.baseURI);
    } catch {
      // has no protocol
    }
    if (!/^(http|ws)s?:$/.test(url.protocol)) {
      this.#end('The address has to start with http, https, ws or wss.');
    } else if (!supports('video/mp4; codecs="avc1.42E01E"')) {
      this.#end('This browser cannot play live streams.');
    } else {
      this.reason = '';
      this.#failures = [];
      this.#state.set('connecting');
      this.#source = new Source(url.href, (event) => this.#onSource(event));
      this.#source.start();
      this.#ticked = seconds();
      this.#timer = setInterval(() => this.#tick(), TICK);
    }
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
    this.#keepPicture();
    this.#buffers.close();
    this.#video.removeAttribute('src');
    this.#parts.notice.textContent = '';
  }

  // From the connection to the buffers

  #onSource({type, bytes, reason}) {
    if (type === 'data') {
      this.#parse(bytes);
    } else if (type === 'open') {
      this.#connections++;
      // Another MediaSource for each connection: Chromium may drop a GOP that follows a cut one.
      this.#remuxer = new Remuxer((operation) => this.#onMedia(operation), supports);
      this.#parser = new FlvParser((item) => this.#remuxer.take(item));
      this.#delay.begin(seconds());
      if (this.#state.is('reconnecting')) {
        this.reason = '';
        this.#state.set('connecting');
      }
    } else if (type === 'stopped') {
      this.#end(reason);
    } else {
      this.reason = `${reason} Reconnecting…`;
      if (this.#state.is('reconnecting')) {
        this.#show();
      } else {
        this.#state.set('reconnecting');
      }
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
      this.#codecs = {};
      this.#keepPicture();
    } else if (operation.type === 'init') {
      this.#codecs[operation.kind] = operation.name;
    }
    this.#buffers.take(operation);
    if (operation.type === 'start') {
      this.#start();
    }
  }

  #onBuffers({type, edge, reason}) {
    if (type === 'failed') {
      this.#fail(reason);
    } else if (edge !== null) {
      this.#delay.arrived(seconds(), edge);
      this.#control();
    }
  }

  // Begins anew with another MediaSource and connection.
  #fail(reason) {
    const now = seconds();
    this.#failures = [...this.#failures.filter((time) => now - time < 60), now];
    if (this.#failures.length < MOST_FAILURES) {
      this.#source.restart(reason);
    } else {
      this.#end(reason);
    }
  }

  // Playback

  #start() {
    this.#video.play().catch(({name}) => {
      if (name !== 'NotAllowedError' || !this.#source) {
        return; // another MediaSource took over
      }
      if (this.#video.muted) {
        this.stop();
      } else { // browsers play sound only after a click
        this.#video.muted = true;
        this.#parts.unmute.hidden = !this.#codecs.audio;
        this.#start();
      }
    });
  }

  #control(slept = false) {
    const video = this.#video;
    const {edge} = this.#buffers;
    const {buffered} = video;
    if (edge === null || video.seeking) {
      return;
    }
    const {rate, seek} = this.#delay.decide({
      now: seconds(), position: video.currentTime, edge, slept,
      ranges: Array.from(buffered, (_, at) => [buffered.start(at), buffered.end(at)]),
    });
    if (seek !== undefined) {
      video.currentTime = seek;
    }
    video.playbackRate = rate;
  }

  // The page is in front again, or the network is back.
  #wakeUp() {
    if (this.#source && !document.hidden) {
      this.#source.wake();
      this.#delay.begin(seconds()); // what came late was not the network's fault
      this.#control(true);
      this.#start();
    }
  }

  #onPlaying() {
    this.#canvas.hidden = true;
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

  #onPause() {
    // By a media key. A browser that pauses a hidden page is told to play by #wakeUp.
    if (this.#source && !document.hidden && this.#video.readyState >= 2) {
      this.stop();
    }
  }

  #keepPicture() {
    const {videoWidth: width, videoHeight: height, readyState} = this.#video;
    if (readyState >= 2 && width) {
      Object.assign(this.#canvas, {width, height, hidden: false});
      this.#canvas.getContext('2d').drawImage(this.#video, 0, 0);
    }
  }

  // Controls and display

  #listen() {
    const video = this.#video;
    const {play, unmute, mute, volume, full} = this.#parts;
    const toggleMute = () => {
      video.muted = !video.muted;
    };
    video.onplaying = () => this.#onPlaying();
    video.onwaiting = () => this.#onWaiting();
    video.onpause = () => this.#onPause();
    video.onvolumechange = () => this.#showVolume();
    video.onerror = () => this.#source && video.error && this.#fail(UNDECODABLE);
    play.onclick = () => this.play();
    unmute.onclick = mute.onclick = toggleMute;
    volume.oninput = () => Object.assign(video, {muted: false, volume: volume.value});
    full.onclick = () => this.#toggleFullScreen();
    this.onpointermove = this.onpointerdown = () => this.#showBar();
    this.onkeydown = ({key, ctrlKey, altKey, metaKey}) => {
      this.#showBar();
      if (!ctrlKey && !altKey && !metaKey) {
        ({m: toggleMute, f: full.onclick})[key]?.();
      }
    };
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
    this.#parts.status.textContent = this.reason || (TEXTS[this.state] ?? '');
    this.#parts.play.hidden = this.#source !== null || !this.#state.is('idle', 'stopped');
    this.#showVolume();
    this.#showBar();
    this.dispatchEvent(new Event('statechange'));
  }

  #showVolume() {
    const {mute, volume, unmute} = this.#parts;
    const {muted} = this.#video;
    mute.innerHTML = muted ? MUTED : SOUND;
    mute.ariaLabel = muted ? 'Turn the sound on' : 'Mute';
    volume.value = muted ? 0 : this.#video.volume;
    unmute.hidden ||= !muted;
  }

  #tick() {
    const now = seconds();
    if (now - this.#ticked > MOST_SLEEP) {
      this.#wakeUp();
    }
    this.#ticked = now;
    this.#control();
    const {figures} = this.#parts;
    figures.hidden = !this.hasAttribute('debug');
    figures.textContent = figures.hidden ? '' :
      Object.entries(this.figures).map(([name, value]) => `${name}: ${value}`).join('\n');
  }

  // For the debug display and tests.
  get figures() {
    const video = this.#video;
    const {edge} = this.#buffers;
    const {totalVideoFrames: frames, droppedVideoFrames: dropped} = video.getVideoPlaybackQuality();
    return {
      state: this.state, delay: edge && edge - video.currentTime, target: this.#delay.target(seconds()),
      rate: video.playbackRate, codecs: Object.values(this.#codecs).join(' '), frames, dropped,
      width: video.videoWidth, height: video.videoHeight, connections: this.#connections,
    };
  }
}

customElements.define('flv-player', FlvPlayer);

// SPDX-License-Identifier: LGPL-2.1-or-later
// Plays a live stream with mpegts.js. Keeps a small delay, and reconnects, which mpegts.js does
// not do.
//   ?url=ADDRESS   plays this address at once
'use strict';

(() => {
  const DELAY = 0.8; // s, the target for the media that has arrived but is not yet shown
  const MOST_DELAY = 3; // s, the target if the network is too slow for less
  const SLACK = 0.7; // s over the target: plays faster
  const FASTER = 1.2;
  const FAR = 4; // s over the target: jumps
  const TICK = 0.5; // s
  const STUCK = 2; // s without a new frame, although data is buffered: jumps
  const PATIENCE = 10; // s without data: reconnects
  const FIRST_RETRY = 0.5; // s; doubles with each failure
  const LAST_RETRY = 15; // s
  const PROVEN = 5; // s of playback that reset the number of failures
  const LONGEST_PAUSE = 30; // s of pause: disconnects

  const TRANSPORT = /^(http|ws)(?=s?:)/i;

  const element = (id) => document.getElementById(id);
  const video = element('video');
  const form = element('form');
  const now = () => performance.now() / 1000;

  let address = null; // of the stream
  let player = null; // of mpegts.js, one per connection
  let paused = false; // by the user
  let delay = DELAY;
  let failures = 0;
  let retryTimer = 0;
  let pauseTimer = 0;
  const total = {reconnects: 0, frames: 0, dropped: 0};
  let seen = {}; // times and positions of this connection, see connect()

  // Display

  function show(state, text) {
    element('player').dataset.state = state;
    if (element('status').textContent !== text) {
      element('status').textContent = text;
    }
    element('stop').disabled = state === 'idle';
    element('go').hidden = state !== 'idle';
    video.controls = state !== 'idle';
  }

  function frames() {
    const quality = video.getVideoPlaybackQuality();
    return {frames: total.frames + quality.totalVideoFrames,
            dropped: total.dropped + quality.droppedVideoFrames};
  }

  function showFigures() {
    const {frames: all, dropped} = frames();
    element('lag').textContent = newest() ? `${lag().toFixed(1)} s` : '–';
    element('dropped').textContent = all ? `${dropped} of ${all}` : '–';
    element('reconnects').textContent = total.reconnects;
  }

  function showSpeed({speed}) {
    element('speed').textContent = `${Math.round(speed * 1024 * 8 / 1000)} kbit/s`;
  }

  // Shows the last frame until the new connection has one.
  function keepPicture() {
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || !video.videoWidth) {
      return;
    }
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext('2d').drawImage(video, 0, 0);
    video.poster = canvas.toDataURL('image/jpeg');
  }

  // The connection

  function connect() {
    disconnect();
    paused = false;
    delay = DELAY;
    seen = {since: now(), newest: 0, arrived: now(), time: 0, moved: now(), tick: now(),
            place: Infinity};
    show('connecting', 'Connecting…');
    // The connection closes when its worker ends. Without a worker, Chromium keeps it open.
    const own = mpegts.createPlayer({type: 'mse', isLive: true, url: address},
                                    {enableWorker: true, enableStashBuffer: false});
    const on = (event, act) => own.on(event, (...about) => player === own && act(...about));
    on(mpegts.Events.ERROR, (_, detail, info) => retry(reason(detail, info)));
    on(mpegts.Events.LOADING_COMPLETE, () => retry('The stream has ended.'));
    on(mpegts.Events.STATISTICS_INFO, showSpeed);
    player = own;
    own.attachMediaElement(video);
    own.load();
    play();
  }

  function disconnect() {
    clearTimeout(retryTimer);
    clearTimeout(pauseTimer);
    retryTimer = 0;
    if (!player) {
      return;
    }
    keepPicture();
    Object.assign(total, frames());
    const gone = player;
    player = null;
    gone.destroy();
    element('speed').textContent = '–';
  }

  // The buffered media continues to play until the reconnect.
  function retry(why) {
    if (retryTimer) {
      return;
    }
    if (paused) {
      stop(`Paused. ${why}`);
      return;
    }
    if (seen.moved - seen.since > PROVEN) {
      failures = 0;
    }
    const backoff = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** failures++);
    retryTimer = setTimeout(reconnect, backoff * (0.75 + Math.random() / 2) * 1000);
    show('waiting', `${why} Reconnecting…`);
  }

  function reconnect() {
    total.reconnects++;
    connect();
  }

  function reason(detail, info) {
    if (detail === mpegts.ErrorDetails.NETWORK_STATUS_CODE_INVALID) {
      return info.code === 503 ? 'The stream has not started, or the server is full (503).' :
                                 `The server answered ${info.code} ${info.msg}.`.replace(' .', '.');
    }
    if (detail === mpegts.ErrorDetails.MEDIA_CODEC_UNSUPPORTED ||
        detail === mpegts.ErrorDetails.MEDIA_FORMAT_UNSUPPORTED) {
      return 'This browser cannot play the codecs of the stream.';
    }
    return seen.newest ? 'The connection was lost.' : 'The connection failed.';
  }

  function play() {
    video.play().catch((error) => {
      if (error.name !== 'NotAllowedError') {
        return; // another connection took over
      }
      if (!video.muted) { // browsers allow sound only after a click
        video.muted = true;
        element('unmute').hidden = false;
        play();
      }
    });
  }

  function start() {
    const text = form.address.value.trim();
    try {
      // An absolute URL, because the worker cannot resolve a relative one.
      address = new URL(text, location.href).href;
    } catch {
      stop('The address is not valid.');
      return;
    }
    if (!TRANSPORT.test(address)) {
      stop('The address has to start with http:, https:, ws: or wss:.');
      return;
    }
    history.replaceState(null, '', `?${new URLSearchParams({url: address})}`);
    disconnect();
    video.removeAttribute('poster');
    Object.assign(total, {reconnects: 0, frames: 0, dropped: 0});
    failures = 0;
    connect();
  }

  // The last frame stays on the screen.
  function stop(why) {
    disconnect();
    address = null;
    show('idle', why);
  }

  // Latency

  function newest() {
    const {buffered} = video;
    return buffered.length ? buffered.end(buffered.length - 1) : 0;
  }

  function lag() {
    return Math.max(0, newest() - video.currentTime);
  }

  function goTo(time) {
    seen.place = time;
    video.currentTime = time;
  }

  function jump() {
    const {buffered} = video;
    if (buffered.length) {
      goTo(Math.max(buffered.start(buffered.length - 1), newest() - delay));
    }
  }

  // The start of the next buffered range after a time.
  function nextStart(time) {
    const starts = Array.from(video.buffered, (_, part) => video.buffered.start(part));
    return starts.find((start) => start > time);
  }

  // Between two sources, there can be a gap in the video. The audio continues, but Chromium shows the
  // frame before the gap until a seek.
  function crossHole() {
    const time = video.currentTime;
    if (nextStart(seen.place) <= time) {
      goTo(time);
    }
    seen.place = video.buffered.length && video.buffered.start(0) <= time ? time : Infinity;
  }

  function catchUp() {
    if (lag() > delay + SLACK) {
      jump();
    }
  }

  function chase() {
    crossHole();
    const over = lag() - delay;
    if (over > FAR) {
      jump();
    } else if (over > SLACK) {
      video.playbackRate = FASTER;
    } else if (over <= 0) {
      video.playbackRate = 1;
    }
  }

  function tick() {
    showFigures();
    if (!player || paused) {
      return;
    }
    const time = now();
    if (time - seen.tick > 4 * TICK) { // the browser suspended or throttled the page
      seen.arrived = seen.moved = time;
    }
    seen.tick = time;
    if (newest() !== seen.newest) {
      seen.newest = newest();
      seen.arrived = time;
    }
    if (video.currentTime !== seen.time) {
      seen.time = video.currentTime;
      seen.moved = time;
    }
    delay = Math.max(DELAY, delay - TICK / 50);
    chase();
    if (time - seen.arrived > PATIENCE) {
      retry('The server sends no data.');
    } else if (time - seen.moved > STUCK && lag() > delay) {
      seen.moved = time;
      jump();
    }
  }

  // Events
  video.addEventListener('timeupdate', () => {
    if (!video.paused) {
      chase();
    }
  });
  video.addEventListener('playing', () => {
    seen.played = true;
    if (!retryTimer) {
      show('playing', 'Playing');
    }
  });
  video.addEventListener('waiting', () => {
    if (!player || !seen.played || retryTimer || video.seeking) {
      return;
    }
    const next = nextStart(video.currentTime);
    if (next) { // at a gap
      goTo(next);
    } else {
      delay = Math.min(MOST_DELAY, delay + 0.5);
      show('waiting', 'Waiting for data…');
    }
  });
  video.addEventListener('pause', () => {
    // mpegts.js, the end of the stream and errors also cause this event.
    if (!player || retryTimer || !video.paused || video.ended || video.error) {
      return;
    }
    paused = true;
    pauseTimer = setTimeout(stop, LONGEST_PAUSE * 1000, 'Disconnected after a long pause.');
    show('paused', 'Paused');
  });
  video.addEventListener('play', () => {
    clearTimeout(pauseTimer);
    if (paused) {
      paused = false;
      catchUp();
    }
  });
  video.addEventListener('error', () => {
    if (player && video.error) {
      retry('The browser cannot decode the stream.');
    }
  });
  video.addEventListener('volumechange', () => {
    element('unmute').hidden ||= !video.muted;
  });
  element('unmute').addEventListener('click', () => {
    video.muted = false;
  });

  // When the user returns to the page, it shows the live position.
  function wake() {
    if (retryTimer) {
      reconnect();
    } else if (player && !paused) {
      catchUp();
    }
  }
  document.addEventListener('visibilitychange', () => document.hidden || wake());
  document.addEventListener('resume', wake);
  addEventListener('online', wake);

  function showTransport() {
    const transport = TRANSPORT.exec(form.address.value.trim());
    if (transport) {
      form.transport.value = transport[1].toLowerCase();
    }
  }
  form.address.addEventListener('input', showTransport);
  form.addEventListener('change', ({target}) => {
    if (target.name === 'transport') {
      form.address.value = form.address.value.trim().replace(TRANSPORT, target.value);
      if (address) {
        start();
      }
    }
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    start();
  });
  element('stop').addEventListener('click', () => stop(''));

  if (!window.mpegts) {
    show('idle', 'mpegts.js is missing: run “npm ci” in the folder of this page.');
    return;
  }
  if (!mpegts.getFeatureList().mseLivePlayback) {
    show('idle', 'This browser cannot play live streams.');
    return;
  }
  setInterval(tick, TICK * 1000);
  const wanted = new URLSearchParams(location.search).get('url');
  form.address.value = wanted ?? `http://${location.hostname || 'localhost'}:8080/live.flv`;
  showTransport();
  if (wanted) {
    start();
  }
})();

// SPDX-License-Identifier: LGPL-2.1-or-later
// The delay, with a clock and a playback of the test.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {DelayKeeper} from '../../../player/delay.js';

// Plays `seconds`: a chunk of media arrives every `step` s. Returns the delay at the end, the longest
// delay, and the jumps.
function play({keeper = new DelayKeeper(), seconds = 30, step = 0.04, position = 0, ahead = 0.5, hold = () => false}) {
  keeper.begin(0);
  let edge = position + ahead;
  let next = 0;
  let held = 0;
  const jumps = [];
  const rates = new Set();
  for (let now = 0; now < seconds; now += 0.02) {
    held = hold(now) ? held : Math.max(0, now - next + step);
    if (now >= next && !hold(now)) {
      const arrived = Math.floor((now - next) / step) + 1;
      edge += arrived * step;
      next += arrived * step;
      keeper.arrived(now, edge);
    }
    const {rate, seek} = keeper.decide({now, position, edge, ranges: [[0, edge]]});
    rates.add(rate);
    if (seek !== undefined) {
      jumps.push({now, from: position, to: seek});
      position = seek;
    }
    position = Math.min(edge, position + 0.02 * rate);
    assert.ok(rate >= 0.95 && rate <= 1.05);
  }
  return {delay: edge - position, jumps, rates, keeper};
}

test('a steady stream settles near the target without a jump', () => {
  const {delay, jumps, keeper} = play({});
  assert.equal(jumps.length, 0);
  assert.ok(Math.abs(delay - keeper.target(30)) < 0.12, `${delay} ${keeper.target(30)}`);
  assert.ok(delay < 0.35, String(delay));
});

test('the burst of the server is jumped over at once', () => {
  const {jumps} = play({ahead: 2.5, seconds: 2});
  assert.equal(jumps.length, 1);
  assert.ok(jumps[0].now < 0.1);
});

test('bursts of 350 ms raise the target', () => {
  const {keeper, delay} = play({step: 0.35});
  assert.ok(keeper.target(30) > 0.4 && keeper.target(30) < 0.7, String(keeper.target(30)));
  assert.ok(delay < 0.9, String(delay));
});

test('a hiccup of 3 s ends in a jump to the edge', () => {
  const {jumps, delay} = play({seconds: 25, hold: (now) => now > 8 && now < 11});
  assert.equal(jumps.length, 1);
  assert.ok(jumps[0].now < 11.2, String(jumps[0].now));
  assert.ok(delay < 3.3, String(delay));
});

test('after the jitter is over the target falls again', () => {
  const {keeper, delay} = play({seconds: 60, hold: (now) => now > 8 && now < 9});
  assert.ok(keeper.target(60) < 0.3, String(keeper.target(60)));
  assert.ok(delay < 0.45, String(delay));
});

test('stalls raise the target for a while', () => {
  const keeper = new DelayKeeper();
  keeper.begin(0);
  const before = keeper.target(1);
  keeper.stalled(1);
  keeper.stalled(1);
  assert.ok(keeper.target(1) - before > 0.25);
  assert.ok(Math.abs(keeper.target(61) - before) < 1e-9);
  for (let count = 0; count < 100; count++) {
    keeper.stalled(1);
  }
  assert.ok(keeper.target(1) <= 3);
});

function decide(about) {
  const keeper = new DelayKeeper();
  keeper.begin(0);
  return keeper.decide({now: 10, edge: 20, position: 19.5, ranges: [[0, 20]], ...about});
}

test('a page that returns from the background jumps at a smaller error', () => {
  assert.equal(decide({position: 19.2}).seek, undefined);
  assert.ok(decide({position: 19.2, slept: true}).seek > 19.7);
  assert.equal(decide({position: 19.7, slept: true}).seek, undefined);
});

test('holes are jumped over', () => {
  const ranges = [[0, 10], [15, 20]];
  assert.ok(decide({position: 9.99, ranges}).seek >= 15, 'at the end of the first part');
  assert.ok(decide({position: 12, ranges}).seek >= 15, 'inside');
  assert.ok(decide({position: 0, ranges: [[5, 20]]}).seek >= 5, 'before the start');
  assert.equal(decide({position: 0, ranges: []}).seek, undefined, 'nothing is there');
});

test('a jump never leaves the newest part', () => {
  assert.equal(decide({position: 3, ranges: [[19.98, 20]]}).seek, 19.98);
});

test('a position after the media is brought back', () => {
  assert.ok(decide({position: 25}).seek < 20);
});

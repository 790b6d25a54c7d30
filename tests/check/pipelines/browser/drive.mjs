// SPDX-License-Identifier: LGPL-2.1-or-later
// drive.mjs MODULES CHROMIUM [CHROMIUM'S OPTION]...
//
// Opens pages in a headless Chromium, for browser.py. Reads one command a line, and answers each
// with one line of JSON, {"value": …} or {"error": "why"}. Ends at the end of standard input.
//   {"open": "address"}      opens a new page and closes the previous one
//   {"run": "expression"}    evaluates the expression in the page
//   {"until": "expression", "timeout": ms}    waits until it is true in the page
//   {"errors": 0}            the uncaught exceptions of the page's scripts
//   {"key": "Tab"}           presses a key
//   {"size": [width, height]}
//   {"media": {"colorScheme": "dark", "reducedMotion": "reduce"}}
//   {"screenshot": "file"}
//   {"state": "frozen"}      puts the page into the background, or "active"
import {createRequire} from 'node:module';
import {createInterface} from 'node:readline';

const [modules, executablePath, ...args] = process.argv.slice(2);
const {chromium} = createRequire(`${modules}/`)('playwright-core');
const browser = await chromium.launch({executablePath, args});
let page;
let errors;

const commands = {
  async open(address) {
    await page?.close();
    page = await browser.newPage();
    errors = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(address);
  },
  run: (expression) => page.evaluate(expression),
  async until(expression, {timeout}) {
    await page.waitForFunction(expression, null, {timeout, polling: 20});
  },
  errors: () => errors,
  key: (name) => page.keyboard.press(name),
  size: ([width, height]) => page.setViewportSize({width, height}),
  media: (media) => page.emulateMedia(media),
  screenshot: async (path) => void await page.screenshot({path}),
  async state(state) {
    const session = await page.context().newCDPSession(page);
    await session.send('Page.setWebLifecycleState', {state});
  },
};

for await (const line of createInterface({input: process.stdin})) {
  const command = JSON.parse(line);
  const [name] = Object.keys(command);
  let answer;
  try {
    answer = {value: await commands[name](command[name], command) ?? null};
  } catch (error) {
    answer = {error: error.message};
  }
  console.log(JSON.stringify(answer));
}
await browser.close();

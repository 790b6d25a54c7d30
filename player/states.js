// SPDX-License-Identifier: LGPL-2.1-or-later
// One state variable with a table of allowed changes: {state: [next states]}.

export class States {
  #table;
  #changed;

  constructor(table, first, changed = () => {}) {
    this.#table = table;
    this.#changed = changed;
    this.value = first;
  }

  is(...states) {
    return states.includes(this.value);
  }

  set(next) {
    const before = this.value;
    if (!this.#table[before].includes(next)) {
      throw new Error(`no change from ${before} to ${next}`);
    }
    this.value = next;
    this.#changed(next, before);
  }
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <sys/stat.h>
#include <unistd.h>

namespace flvserve {

namespace {

// $JOURNAL_STREAM has the device and the inode of the journal's socket.
bool writes_to_journal() {
  const char *stream = std::getenv("JOURNAL_STREAM");
  struct stat file {};
  if (!stream || fstat(STDERR_FILENO, &file) != 0)
    return false;
  return stream == std::to_string(file.st_dev) + ':' + std::to_string(file.st_ino);
}

} // namespace

void report(Level level, const std::string &text) {
  static const bool journal = writes_to_journal();
  std::string line = journal ? '<' + std::to_string(static_cast<int>(level)) + '>' : "";
  line += "flvserve: ";
  line += text;
  std::replace_if(
      line.begin(), line.end(),
      [](char each) { return static_cast<unsigned char>(each) < ' ' || each == '\x7F'; }, '?');
  line += '\n';
  std::fputs(line.c_str(), stderr); // unbuffered, and one call, so that lines stay whole
}

} // namespace flvserve

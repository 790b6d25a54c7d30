// SPDX-License-Identifier: LGPL-2.1-or-later
// flvserve's configuration: what it means, and each error with its line.
#include "configuration.h"

#include <algorithm>
#include <string>

#include <gst/gst.h>

#include "checkrun.h"
#include "httpserver/gsthttpserversink.h"
#include "options.h"
#include "source_check.h"

using namespace flvserve;

namespace {

// An existing folder, file and parent of a file.
constexpr const char *kFolder = "/usr/share";

void check_text(const std::string &text, const std::string &expected) {
  ck_assert_str_eq(text.c_str(), expected.c_str());
}

std::string faults_text(const Checked &checked) {
  std::string text;
  for (const Fault &fault : checked.faults)
    text += std::to_string(fault.line) + ": " + fault.text + '\n';
  return text;
}

Configuration valid(const std::string &text) {
  const Checked checked = check_configuration(text, kFolder);
  check_text(faults_text(checked), "");
  return checked.configuration;
}

// Each has one fault. The mount makes the rest of the configuration valid.
const std::string kMount = "[mount /m.flv]\nuris=m.flv\n"; // lines 1 and 2
const std::string kSource = "[mount /n.flv]\nuris=n.flv\n";

const struct {
  std::string text;
  std::string fault;
} kFaults[] = {
    // The file.
    {"", "0: there is neither a [mount /PATH] nor a [files /PATH]"},
    {"[server]\n# nothing\n", "0: there is neither a [mount /PATH] nor a [files /PATH]"},
    {"loop=true\n" + kMount, "1: the key \"loop\" is before the first section"},
    {kMount + "[server\n", "3: the section \"[server\" does not end with \"]\""},
    {kMount + "loop\n", "3: \"loop\" is neither [section] nor key=value"},
    {kMount + "=1\n", "3: \"\" is not a key: only letters, digits, - and _"},
    {kMount + "a b=1\n", "3: \"a b\" is not a key: only letters, digits, - and _"},
    {kMount + "\n\nloop=false\nloop=true\n", "6: the key \"loop\" is already in line 5"},
    {kMount + "launch=a\\b\n",
     "3: launch: a backslash begins an escape: \\s, \\t, \\n, \\r or \\\\"},
    {kMount + "stats-path=/a\\\n",
     "3: stats-path: a backslash begins an escape: \\s, \\t, \\n, \\r or \\\\"},
    {kMount + std::string("loop=\0\n", 7), "3: the line has a NUL byte"},
    // Sections.
    {kMount + "[api]\nlisten=8081\n", "3: unknown section [api]; the sections are [server], "
                                      "[mount /PATH] and [files /PATH]"},
    {kMount + "[server]\n[server]\n", "4: [server] is already in line 3"},
    {kMount + "[server x]\n", "3: [server] has no name, but this is [server x]"},
    {kMount + kMount, "3: [mount /m.flv] is already in line 1"},
    {kMount + "[mount /%6D.flv]\nuris=n.flv\n", "3: the path /%6D.flv is already in line 1"},
    {kMount + "[mount]\nuris=n.flv\n", "3: [mount]: the path is missing, as in [mount /PATH]"},
    {kMount + "[mount n.flv]\nuris=n.flv\n",
     "3: [mount n.flv]: the path does not begin with a slash"},
    {kMount + "[mount /n.flv?x]\nuris=n.flv\n",
     "3: [mount /n.flv?x]: the path has a \"?\" at character 7, which ends a path: write %3F"},
    {kMount + "[mount /n]\nuris=n.flv\n",
     "3: [mount /n]: the extension of the path selects the container: .flv, .ts, .mkv, .webm, "
     ".mp3 or .ogg"},
    // [server]
    {kMount + "[server]\nport=8080\n",
     "4: unknown key \"port\" in [server]; the keys are listen, tls-certificate, tls-key, "
     "access-log, access-log-format, max-clients, drain-timeout"},
    {kMount + "[server]\nlisten=localhost\n", "4: listen: \"localhost\" is not [HOST:]PORT"},
    {kMount + "[server]\nlisten=:0\n", "4: listen: \":0\" is not [HOST:]PORT"},
    {kMount + "[server]\nlisten=8080;\n[server]\n", "5: [server] is already in line 3"},
    {kMount + "[server]\nlisten=8080;localhost:8080\n",
     "4: listen: \"localhost:8080\" is there twice"},
    {kMount + "[server]\nlisten=\n", "4: listen: there is no address"},
    {kMount + "[server]\ntls-certificate=none.pem\n",
     "4: tls-certificate: cannot read /usr/share/none.pem: No such file or directory"},
    {kMount + "[server]\ntls-certificate=\n",
     "4: tls-certificate: the name of the file is missing"},
    {kMount + "[server]\ntls-key=/dev/null\n", "4: tls-key: there is no tls-certificate"},
    {kMount + "[server]\naccess-log=none/a.log\n",
     "4: access-log: there is no folder /usr/share/none"},
    {kMount + "[server]\naccess-log=/usr/share\n", "4: access-log: /usr/share is a folder"},
    {kMount + "[server]\naccess-log=\n", "4: access-log: the name of the file is missing"},
    {kMount + "[server]\naccess-log=-\naccess-log-format=xml\n",
     "5: access-log-format: \"xml\" is not one of common, combined, json"},
    {kMount + "[server]\naccess-log-format=json\n", "4: access-log-format: there is no access-log"},
    {kMount + "[server]\nmax-clients=-1\n",
     "4: max-clients: \"-1\" is not a number from 0 to 4294967295"},
    {kMount + "[server]\ndrain-timeout=10s\n",
     "4: drain-timeout: \"10s\" is not a number from 0 to 4294967295"},
    // [mount]
    {kMount + "auth=token\n",
     "3: unknown key \"auth\" in [mount]; the keys are uris, launch, from, loop, live, "
     "allow-origin, wait-timeout, join, burst, rebase-timestamps, drain-timeout, max-lag, "
     "max-lag-bytes, client-timeout, max-clients, merge, stats-path, metrics-path"},
    {kMount + "[mount /n.flv]\n", "3: [mount /n.flv] has no uris, launch or from"},
    {kMount + "launch=fakesrc\n", "3: launch: the mount already has \"uris\" in line 2"},
    {kMount + kSource + "from=/m.flv\n", "5: from: the mount already has \"uris\" in line 4"},
    {kMount + "[mount /n.flv]\nuris=\n", "4: uris: one URI is needed, and there are 0"},
    {kMount + "[mount /n.flv]\nuris=a.flv;b.flv\n", "4: uris: one URI is needed, and there are 2"},
    {kMount + "[mount /n.flv]\nuris=nosuch://a/b\n",
     "4: uris: GStreamer has no source for nosuch URIs"},
    {kMount + "[mount /n.flv]\nuris=fd://x\n", "4: uris: \"fd://x\" is not fd://NUMBER"},
    {kMount + "[mount /n.flv]\nuris=file://host/a.flv\n",
     "4: uris: \"file://host/a.flv\" is not the URI of a local file"},
    {kMount + "[mount /n.flv]\nuris=/usr\n", "4: uris: /usr is a folder; see [files /PATH]"},
    {kMount + "[mount /n.flv]\nlaunch=nosuchelement\n", "4: launch: no element \"nosuchelement\""},
    {kMount + "[mount /n.flv]\nlaunch=identity\n",
     "4: launch: the pipeline has an input that is not linked"},
    {kMount + "[mount /n.flv]\nlaunch=fakesrc ! fakesink\n",
     "4: launch: the pipeline has no output: its last element must be a source or a muxer"},
    {kMount + "[mount /n.flv]\nfrom=/x.flv\n", "4: from: there is no [mount /x.flv]"},
    {kMount + "[mount /n.flv]\nfrom=/n.flv\n",
     "4: from: the mounts take their streams from each other"},
    {kMount + "loop=yes\n", "3: loop: \"yes\" is neither true nor false"},
    {kMount + "[mount /n.flv]\nuris=fd://0\nloop=true\n", "5: loop: only a file can be repeated"},
    {kMount + "[mount /n.flv]\nfrom=/m.flv\nloop=true\n", "5: loop: only a file can be repeated"},
    {kMount + "live=true\n", "3: live: \"true\" is not one of auto, yes, no"},
    {kMount + "join=first\n",
     "3: join: \"first\" is not one of latest-keyframe, burst, next-keyframe"},
    {kMount + "burst=2s\n", "3: burst: \"2s\" is not a number from 0 to 4294967295"},
    {kMount + "merge=10001\n", "3: merge: \"10001\" is not a number from 0 to 10000"},
    {kMount + "rebase-timestamps=1\n", "3: rebase-timestamps: \"1\" is neither true nor false"},
    {kMount + "stats-path=s\n", "3: stats-path: \"s\" does not begin with a slash"},
    {kMount + "stats-path=/m.flv\n", "3: the path /m.flv is already in line 1"},
    {kMount + "stats-path=/s\nmetrics-path=/s\n", "4: the path /s is already in line 3"},
    // [files]
    {"[files /v]\n", "1: [files /v] has no root"},
    {"[files]\nroot=/usr\n", "1: [files]: the path is missing, as in [files /PATH]"},
    {"[files v]\nroot=/usr\n", "1: [files v]: the path does not begin with a slash"},
    {"[files /v]\nroot=/usr\n[files /v/]\nroot=/etc\n", "3: the path /v/ is already in line 1"},
    {"[files /v]\nroot=/usr\nallow-origin=a\\r\\nb: c\n",
     "3: allow-origin: the value has a control character"},
    {kMount + "allow-origin=a\\r\\nb: c\n", "3: allow-origin: the value has a control character"},
    {"[files /v]\nroot=none\n", "2: root: there is no folder /usr/share/none"},
    {"[files /v]\nroot=\n", "2: root: the folder is missing"},
    {"[files /v]\nroot=/usr\nindex=maybe\n", "3: index: \"maybe\" is neither auto nor no"},
    {"[files /v]\nroot=/usr\nstart-names=start;fs;start\n",
     "3: start-names: \"start\" is there twice"},
    {"[files /v]\nroot=/usr\nstart-names=play\n",
     "3: start-names: \"play\" has another meaning in a query"},
    {"[files /v]\nroot=/usr\nauth=basic\n",
     "3: unknown key \"auth\" in [files]; the keys are root, index, burst, listing, max-age, "
     "start-names, allow-origin"},
};

START_TEST(test_each_fault_has_its_line) {
  const auto &row = ROW(kFaults);
  check_text(faults_text(check_configuration(row.text, kFolder)), row.fault + '\n');
}
END_TEST

START_TEST(test_all_faults_are_found_in_order) {
  const Checked checked = check_configuration("[mount /a.flv]\n"
                                              "burst=x\n"
                                              "uris=a.flv\n"
                                              "[what]\n"
                                              "[mount /b.flv]\n"
                                              "from=/c.flv\n"
                                              "nothing\n",
                                              kFolder);
  std::string lines;
  for (const Fault &fault : checked.faults)
    lines += std::to_string(fault.line) + ' ';
  check_text(lines, "2 4 6 7 ");
}
END_TEST

START_TEST(test_mounts_from_each_other) {
  const Checked checked = check_configuration("[mount /a.flv]\nfrom=/b.flv\n"
                                              "[mount /b.flv]\nfrom=/a.flv\n",
                                              kFolder);
  check_text(faults_text(checked), "2: from: the mounts take their streams from each other\n"
                                   "4: from: the mounts take their streams from each other\n");
}
END_TEST

START_TEST(test_values) {
  const Configuration all = valid("[server]\r\n"
                                  " listen = 0.0.0.0:80 ; [::1]:81;:82;83 \r\n"
                                  "access-log=a.log\n"
                                  "access-log-format=combined\n"
                                  "max-clients=7\n"
                                  "drain-timeout=0\n"
                                  "  # a comment\n"
                                  "[ mount   /live cam.mkv ]\n"
                                  "from=/live%20source.flv\n"
                                  "[mount /live source.flv]\n"
                                  "uris=films/x.flv;\n"
                                  "burst=3000\n"
                                  "allow-origin=\n"
                                  "loop=true\n"
                                  "[files /]\n"
                                  "root=../share/\n"
                                  "burst=500\n");
  ck_assert_uint_eq(all.server.listen.size(), 4);
  check_text(all.server.listen[1].host, "::1");
  check_text(all.server.listen[2].host, "");
  check_text(all.server.listen[3].host, "localhost");
  check_text(all.server.access_log, "/usr/share/a.log");
  ck_assert_enum_eq(all.server.access_log_format, LogFormat::Combined);
  ck_assert_uint_eq(all.server.max_clients, 7);
  ck_assert_uint_eq(all.server.drain_timeout, 0);
  // A mount is after its source, and `from` is spelled like its path.
  ck_assert_uint_eq(all.mounts.size(), 2);
  check_text(all.mounts[0].path, "/live source.flv");
  check_text(all.mounts[0].uri, "/usr/share/films/x.flv");
  ck_assert(all.mounts[0].loop);
  check_text(all.mounts[1].path, "/live cam.mkv");
  check_text(all.mounts[1].from, "/live source.flv");
  check_text(all.folders[0].prefix, "");
  check_text(all.folders[0].settings.root, "/usr/share");
  ck_assert_uint_eq(all.folders[0].settings.burst_ms, 500);
}
END_TEST

START_TEST(test_burst_selects_join) {
  const Configuration all = valid("[mount /a.flv]\nuris=a\nburst=1000\n"
                                  "[mount /b.flv]\nuris=b\nburst=1000\njoin=next-keyframe\n"
                                  "[mount /c.flv]\nuris=c\n");
  check_text(effective_sink(all.mounts[0]).at("join"), "burst");
  check_text(effective_sink(all.mounts[1]).at("join"), "next-keyframe");
  ck_assert(!effective_sink(all.mounts[2]).contains("join"));
  ck_assert_uint_eq(burst_of(all.mounts[0]), 1000);
}
END_TEST

// The text of a configuration means the same, and its text is the same again.
START_TEST(test_separator_in_a_name) {
  Configuration all;
  all.mounts.push_back({"/a.flv", "/a;b c.flv", "", "", false, Live::Auto, {}});
  const std::string text = text_of(all);
  ck_assert(text.find("uris=file:///a%3Bb%20c.flv\n") != std::string::npos);
  check_text(file_name(valid(text).mounts.front().uri), "/a;b c.flv");
}
END_TEST

START_TEST(test_text_of_configuration) {
  const Configuration all = valid("[server]\nlisten=:80;[::1]:81\naccess-log=-\n"
                                  "access-log-format=json\nmax-clients=5\ndrain-timeout=1\n"
                                  "tls-certificate=/dev/null\ntls-key=/dev/null\n"
                                  "[mount /a b.flv]\nuris=\\sa\\t\\\\b;\nloop=true\nlive=no\n"
                                  "burst=10\njoin=burst\nstats-path=/s\n"
                                  "[mount /b.mkv]\nlaunch=fakesrc ! identity\nlive=yes\n"
                                  "[mount /c.ts]\nfrom=/a b.flv\n"
                                  "[files /v]\nroot=/usr\nindex=no\nburst=5\nlisting=true\n"
                                  "max-age=9\nstart-names=a;b\nallow-origin=https://a.example\n"
                                  "[files /]\nroot=/usr/share\n");
  const std::string text = text_of(all);
  const Configuration again = valid(text);
  ck_assert(again == all);
  check_text(text_of(again), text);
}
END_TEST

const struct {
  const char *text;
  const char *again; // nullptr: invalid
} kListen[] = {
    {"8080", "localhost:8080"},
    {":8080", ":8080"},
    {"0.0.0.0:1", "0.0.0.0:1"},
    {"[::]:65535", "[::]:65535"},
    {"example.org:80", "example.org:80"},
    {"", nullptr},
    {":", nullptr},
    {"65536", nullptr},
    {"::1:80", nullptr},
    {"localhost:", nullptr},
};

START_TEST(test_listen) {
  const auto &row = ROW(kListen);
  const auto address = parse_listen(row.text);
  ck_assert_int_eq(address.has_value(), row.again != nullptr);
  if (address)
    check_text(listen_text(*address), row.again);
}
END_TEST

const struct {
  const char *source;
  const char *path;
} kPaths[] = {
    {"movie.mkv", "/movie.mkv"},
    {"films/a b#.FLV", "/a%20b%23.FLV"},
    {"/a/movie.mp4", "/movie.flv"},
    {"movie", "/movie.flv"},
    {".hidden", "/.hidden.flv"},
    {"file:///a/b%20c.ts", "/b%20c.ts"},
    {"-", "/live.flv"},
    {"fd://0", "/live.flv"},
    {"http://127.0.0.1/x/live.flv?key=1", "/live.flv"},
    {"http://127.0.0.1", "/live.flv"},
    {"http://127.0.0.1/", "/live.flv"},
    {"http://127.0.0.1/live/", "/live.flv"},
    {"rtmp://127.0.0.1/live/cam", "/cam.flv"},
};

START_TEST(test_default_path) {
  check_text(default_path(ROW(kPaths).source), ROW(kPaths).path);
}
END_TEST

START_TEST(test_same_stream) {
  const auto mount = [](const std::string &rest) {
    return valid("[mount /a.flv]\nuris=a\n" + rest).mounts.front();
  };
  const MountSettings plain = mount("");
  ck_assert(has_same_stream(plain, mount("burst=1\nmax-clients=3\n")));
  ck_assert(!has_same_stream(plain, mount("loop=true\n")));
  ck_assert(!has_same_stream(plain, mount("live=yes\n")));
  ck_assert(!has_same_stream(plain, mount("stats-path=/s\n")));
  ck_assert(!has_same_stream(plain, valid("[mount /a.flv]\nuris=b\n").mounts.front()));
}
END_TEST

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  GST_ELEMENT_REGISTER(httpserversink, nullptr);
  return flvtest::run("serve_config", {
                                          {test_each_fault_has_its_line, std::size(kFaults)},
                                          {test_all_faults_are_found_in_order},
                                          {test_mounts_from_each_other},
                                          {test_values},
                                          {test_burst_selects_join},
                                          {test_separator_in_a_name},
                                          {test_text_of_configuration},
                                          {test_listen, std::size(kListen)},
                                          {test_default_path, std::size(kPaths)},
                                          {test_same_stream},
                                      });
}

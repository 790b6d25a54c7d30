// SPDX-License-Identifier: LGPL-2.1-or-later
#include "file_path.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "filetest.h"

#include "texts.h"

using namespace flvserve;
using filetest::Folder;

namespace {

using Walk = RootFolder::Walk;

constexpr Walk kWalks[] = {Walk::Kernel, Walk::Components};

// The content of the file; the errno as a text if it cannot be opened.
std::string content(const RootFolder &root, const std::string &path, Walk walk) {
  const RootFolder::Found found = root.find(path, walk);
  if (std::holds_alternative<RootFolder::Folder>(found))
    return "folder";
  if (const auto *missing = std::get_if<RootFolder::Missing>(&found))
    return std::to_string(missing->error);
  char text[64];
  const ssize_t size =
      pread(std::get<RootFolder::File>(found).descriptor.get(), text, sizeof text, 0);
  return {text, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

void assert_content(const RootFolder &root, const std::string &path, const std::string &expected) {
  for (const Walk walk : kWalks) {
    const std::string found = content(root, path, walk);
    ck_assert_msg(found == expected, "%s, walk %d: %s instead of %s", path.c_str(),
                  static_cast<int>(walk), found.c_str(), expected.c_str());
  }
}

void assert_missing(const RootFolder &root, const std::string &path, int error) {
  assert_content(root, path, std::to_string(error));
}

RootFolder open_root(const Folder &folder) {
  RootFolder root;
  ck_assert_int_eq(root.open(folder.path()), 0);
  return root;
}

// --- relative_path() ---

const struct {
  const char *path;
  const char *prefix;
  const char *relative; // nullptr: no file
} kPaths[] = {
    {"/vod/a.flv", "/vod", "a.flv"},
    {"/vod/a.flv", "/vod/", "a.flv"},
    {"/a.flv", "", "a.flv"},
    {"/a.flv", "/", "a.flv"},
    {"/vod", "/vod", ""},
    {"/vod/", "/vod", ""},
    {"/vod/b/", "/vod", "b/"},
    {"/vod/b/c%20d.flv", "/vod", "b/c d.flv"},
    {"/vod/%C3%A4.flv", "/vod", "\xC3\xA4.flv"},
    {"/vod/a%25.flv", "/vod", "a%.flv"},
    {"/vod/a..flv", "/vod", "a..flv"},
    {"/vod/...", "/vod", nullptr},
    {"/vod/..", "/vod", nullptr},
    {"/vod/../etc/passwd", "/vod", nullptr},
    {"/vod/%2e%2e/etc/passwd", "/vod", nullptr},
    {"/vod/%2E%2E%2Fetc", "/vod", nullptr},
    {"/vod/b/..%2F..%2Fetc", "/vod", nullptr},
    {"/vod/b%2Fc.flv", "/vod", nullptr},
    {"/vod/.hidden", "/vod", nullptr},
    {"/vod/.git/config", "/vod", nullptr},
    {"/vod/b/.hidden", "/vod", nullptr},
    {"/vod/a.flv%00.txt", "/vod", nullptr},
    {"/vod/%00", "/vod", nullptr},
    {"/vod/a%", "/vod", nullptr},
    {"/vod/a%2", "/vod", nullptr},
    {"/vod/a%zz", "/vod", nullptr},
    {"/vod//a.flv", "/vod", nullptr},
    {"/vod/b//a.flv", "/vod", nullptr},
    {"//a.flv", "", nullptr},
    {"/vodka/a.flv", "/vod", nullptr},
    {"/other/a.flv", "/vod", nullptr},
};

START_TEST(test_relative_path) {
  const auto &[path, prefix, expected] = ROW(kPaths);
  const auto relative = relative_path(path, prefix);
  ck_assert_msg(relative.has_value() == (expected != nullptr), "%s", path);
  if (expected)
    CK_ASSERT_TEXT_EQ(*relative, expected);
}
END_TEST

START_TEST(test_escaped_segment) {
  CK_ASSERT_TEXT_EQ(escaped_segment("a b.flv"), "a%20b.flv");
  CK_ASSERT_TEXT_EQ(escaped_segment("100%?#&\"<>/"), "100%25%3F%23%26%22%3C%3E%2F");
  CK_ASSERT_TEXT_EQ(escaped_segment("\xC3\xA4"), "%C3%A4");
}
END_TEST

// --- RootFolder ---

START_TEST(test_files_and_folders) {
  const Folder folder;
  folder.write("a.flv", "a");
  folder.make_folder("b");
  folder.write("b/c.flv", "c");
  const RootFolder root = open_root(folder);
  assert_content(root, "a.flv", "a");
  assert_content(root, "b/c.flv", "c");
  assert_content(root, "", "folder");
  assert_content(root, "b", "folder");
  assert_content(root, "b/", "folder");
  assert_missing(root, "none.flv", ENOENT);
  assert_missing(root, "b/none.flv", ENOENT);
  assert_missing(root, "none/c.flv", ENOENT);
  assert_missing(root, "a.flv/c.flv", ENOTDIR);
}
END_TEST

START_TEST(test_links_inside) {
  const Folder folder;
  folder.make_folder("b");
  folder.make_folder("b/d");
  folder.write("b/c.flv", "c");
  folder.link("file.flv", "b/c.flv");
  folder.link("chain.flv", "file.flv");
  folder.link("folder", "b");
  folder.link("b/up.flv", "../b/c.flv");
  folder.link("b/d/absolute.flv", folder.path("b/c.flv"));
  folder.link("absolute", folder.path("b"));
  const RootFolder root = open_root(folder);
  for (const char *path : {"file.flv", "chain.flv", "folder/c.flv", "b/up.flv", "folder/up.flv",
                           "b/d/absolute.flv", "absolute/c.flv", "absolute/up.flv"})
    assert_content(root, path, "c");
  assert_content(root, "absolute", "folder");
}
END_TEST

START_TEST(test_links_out) {
  const Folder outside;
  outside.write("secret.flv", "secret");
  const Folder folder;
  folder.make_folder("b");
  const std::string name = outside.path().substr(outside.path().rfind('/') + 1);
  folder.link("absolute.flv", outside.path("secret.flv"));
  folder.link("relative.flv", "../" + name + "/secret.flv");
  folder.link("b/relative.flv", "../../" + name + "/secret.flv");
  folder.link("folder", outside.path());
  folder.link("up", "..");
  folder.link("process", "/proc/self/root");
  // Not the root, but a folder whose name begins with the root's.
  folder.link("like-root", folder.path() + "2/secret.flv");
  const RootFolder root = open_root(folder);
  for (const char *path : {"absolute.flv", "relative.flv", "b/relative.flv", "folder/secret.flv",
                           "up", "process/etc/passwd", "like-root"})
    assert_missing(root, path, EXDEV);
}
END_TEST

START_TEST(test_link_loops) {
  const Folder folder;
  folder.link("a", "b");
  folder.link("b", "a");
  folder.link("dangling", "none.flv");
  const RootFolder root = open_root(folder);
  assert_missing(root, "a", ELOOP);
  assert_missing(root, "a/c.flv", ELOOP);
  assert_missing(root, "dangling", ENOENT);
}
END_TEST

// The root can be a link that is changed to another folder.
START_TEST(test_root_is_replaced) {
  const Folder folder;
  folder.make_folder("one");
  folder.make_folder("two");
  folder.write("one/a.flv", "1");
  folder.write("two/a.flv", "2");
  folder.link("current", "one");
  RootFolder root;
  ck_assert_int_eq(root.open(folder.path("current")), 0);
  assert_content(root, "a.flv", "1");
  folder.link("next", "two");
  ck_assert_int_eq(rename(folder.path("next").c_str(), folder.path("current").c_str()), 0);
  assert_content(root, "a.flv", "2");
}
END_TEST

// A FIFO's writer waits in open() until there is a reader. It must not notice the attempt.
START_TEST(test_special_files) {
  const Folder folder;
  ck_assert_int_eq(mkfifo(folder.path("fifo").c_str(), 0600), 0);
  const int socket_file = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, folder.path("socket").c_str(), sizeof address.sun_path - 1);
  ck_assert_int_eq(bind(socket_file, reinterpret_cast<sockaddr *>(&address), sizeof address), 0);
  close(socket_file);
  const RootFolder root = open_root(folder);
  assert_missing(root, "fifo", ENOENT);
  assert_missing(root, "socket", ENOENT);
  ck_assert_int_eq(open(folder.path("fifo").c_str(), O_WRONLY | O_NONBLOCK), -1);
  ck_assert_int_eq(errno, ENXIO);
}
END_TEST

START_TEST(test_devices) {
  RootFolder root;
  ck_assert_int_eq(root.open("/dev"), 0);
  assert_missing(root, "null", ENOENT);
  assert_missing(root, "zero", ENOENT);
}
END_TEST

START_TEST(test_no_root) {
  RootFolder root;
  ck_assert_int_eq(root.open("/none/of/these"), ENOENT);
  const Folder folder;
  folder.write("file", "");
  ck_assert_int_eq(root.open(folder.path("file")), ENOTDIR);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("files_paths", {{test_relative_path, std::size(kPaths)},
                                      {test_escaped_segment},
                                      {test_files_and_folders},
                                      {test_links_inside},
                                      {test_links_out},
                                      {test_link_loops},
                                      {test_root_is_replaced},
                                      {test_special_files},
                                      {test_devices},
                                      {test_no_root}});
}

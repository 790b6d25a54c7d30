// SPDX-License-Identifier: LGPL-2.1-or-later
// The responses to the requests for files.
#pragma once

#include <string>

#include "file_path.h"
#include "served_file.h"
#include "settings.h"

namespace flvserve {

// `text`: a sentence for the client.
[[nodiscard]] flvhttp::Response text_response(unsigned status, const std::string &text);
[[nodiscard]] flvhttp::Response not_found();
// The server has too much to do; the client may try again.
[[nodiscard]] flvhttp::Response busy();

// What a URL names, other than the whole file.
struct FilePart {
  std::string variant;        // of the entity tag
  Parts head;                 // before the bytes of the file
  std::uint64_t position = 0; // the bytes of the file
  std::uint64_t size = 0;
};

// A whole file, or a part of it.
[[nodiscard]] flvhttp::Response file_response(const flvhttp::Request &request,
                                              const FilesSettings &settings,
                                              const flvhttp::FilePtr &stored,
                                              const ServedFile &file, const FilePart &part);
[[nodiscard]] flvhttp::Response refusal_response(const StartRefusal &refusal,
                                                 const ServedFile &file);
[[nodiscard]] flvhttp::Response playlist_response(const flvhttp::Request &request);
// `path`: of the folder, relative to the root.
[[nodiscard]] flvhttp::Response folder_response(const flvhttp::Request &request,
                                                const FilesSettings &settings,
                                                const std::string &path, const Descriptor &folder);

} // namespace flvserve

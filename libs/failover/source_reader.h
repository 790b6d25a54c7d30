// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the bytes of one source from its start: finds the container, then cuts.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "container.h"
#include "cutter.h"
#include "states/transition.h"

namespace failover {

//    Detecting ----> Cutting
//        |              |
//        +--> Failed <--+
class SourceReader {
public:
  struct Detecting {
    static constexpr const char *kName = "Detecting";
    Buffer bytes;
  };
  struct Cutting {
    static constexpr const char *kName = "Cutting";
    Container container = Container::Flv;
    std::unique_ptr<Cutter> cutter;
  };
  struct Failed {
    static constexpr const char *kName = "Failed";
    std::string reason;
  };
  using State = std::variant<Detecting, Cutting, Failed>;
  using Transitions = states::TransitionTable<states::Transition<Detecting, Cutting>,
                                              states::Transition<Detecting, Failed>,
                                              states::Transition<Cutting, Failed>>;

  // Bytes before the first start that are kept to be sent unchanged.
  static constexpr std::size_t kMaxOpening = 1 << 20;

  // The source continues with `chunk`. The caller calls next() until it returns nullopt.
  void begin(Bytes chunk);
  [[nodiscard]] std::optional<Piece> next();

  // The container, as soon as it is known.
  [[nodiscard]] std::optional<Container> container() const;
  // There are bytes, but too few to know the container.
  [[nodiscard]] bool is_undecided() const;
  // Why the bytes cannot be used: "the source sends HTML". nullptr: they can.
  [[nodiscard]] const std::string *failure() const;
  // What must be sent before the last piece, which is a start, so that a decoder can start. At the
  // first start of an FLV source that begins decodable, these are all bytes before it.
  [[nodiscard]] Buffer prefix() const;
  // The header only.
  [[nodiscard]] Buffer header() const;

private:
  void set_state(State next);
  void detect(Bytes chunk);
  void note(const Piece &piece);

  State state_ = Detecting{};
  std::optional<Buffer> opening_ = Buffer(); // the bytes before the first start
  bool was_start_ = false;                   // the last piece
};

} // namespace failover

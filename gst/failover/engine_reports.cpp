// SPDX-License-Identifier: LGPL-2.1-or-later
// What the application learns: messages, signals, statistics.
#include <utility>

#include "engine.h"
#include "failover/uri_list.h"

GST_DEBUG_CATEGORY_EXTERN(gst_failover_src_debug);
#define GST_CAT_DEFAULT gst_failover_src_debug

namespace gstfailover {

using failover::Action;
using failover::Index;
using failover::Supervisor;

namespace {

void post_message(GstElement *element, GstStructure *structure) {
  gst_element_post_message(element, gst_message_new_element(GST_OBJECT(element), structure));
}

std::string reason_of(const Supervisor::Counters &counters) {
  return counters.last_loss ? failover::nick_of(*counters.last_loss) : "";
}

} // namespace

void Engine::report(Lock &lock) {
  const std::vector<Action> reports = std::exchange(reports_, {});
  lock.unlock();
  for (const Action &action : reports)
    post(action);
  lock.lock();
}

// Reads only members that do not change.
void Engine::post(const Action &action) {
  const auto uri_of = [this](Index index) { return failover::without_secrets(slots_[index].uri); };
  if (const auto *lost = std::get_if<failover::ReportLost>(&action)) {
    const std::string uri = uri_of(lost->index);
    const char *reason = failover::nick_of(lost->loss);
    const auto index = static_cast<guint>(lost->index);
    GST_CAT_LEVEL_LOG(GST_CAT_DEFAULT, lost->is_news ? GST_LEVEL_INFO : GST_LEVEL_DEBUG, element_,
                      "source %u is lost (%s), next attempt in %u ms: %s %s", index, reason,
                      static_cast<guint>(lost->retry_in), uri.c_str(), lost->text.c_str());
    if (!lost->is_news)
      return;
    post_message(element_,
                 gst_structure_new("source-lost", "index", G_TYPE_UINT, index, "uri", G_TYPE_STRING,
                                   uri.c_str(), "reason", G_TYPE_STRING, reason, "text",
                                   G_TYPE_STRING, lost->text.c_str(), "in-use", G_TYPE_BOOLEAN,
                                   lost->in_use, "retry-in", G_TYPE_UINT,
                                   static_cast<guint>(lost->retry_in), nullptr));
    g_signal_emit_by_name(element_, "source-lost", index, uri.c_str(), reason);
  } else if (const auto *back = std::get_if<failover::ReportBack>(&action)) {
    const std::string uri = uri_of(back->index);
    const auto index = static_cast<guint>(back->index);
    GST_INFO_OBJECT(element_, "source %u is back: %s", index, uri.c_str());
    post_message(element_, gst_structure_new("source-back", "index", G_TYPE_UINT, index, "uri",
                                             G_TYPE_STRING, uri.c_str(), nullptr));
    g_signal_emit_by_name(element_, "source-back", index, uri.c_str());
  } else if (const auto *change = std::get_if<failover::ReportSwitch>(&action)) {
    const std::string uri = uri_of(change->index);
    const char *reason = failover::nick_of(change->reason);
    const auto index = static_cast<guint>(change->index);
    const gint previous = change->previous ? static_cast<gint>(*change->previous) : -1;
    GST_INFO_OBJECT(element_, "source %u is in use (%s): %s", index, reason, uri.c_str());
    g_object_notify(G_OBJECT(element_), "current-uri");
    post_message(element_,
                 gst_structure_new("source-switched", "index", G_TYPE_UINT, index, "uri",
                                   G_TYPE_STRING, uri.c_str(), "previous-index", G_TYPE_INT,
                                   previous, "reason", G_TYPE_STRING, reason, nullptr));
    g_signal_emit_by_name(element_, "source-switched", index, uri.c_str(), reason);
  }
}

std::string Engine::current_uri() {
  const std::lock_guard lock(mutex_);
  const auto in_use = supervisor_.in_use();
  return in_use && is_running() ? slots_[*in_use].uri : "";
}

gstflv::StructurePtr Engine::stats() {
  const std::lock_guard lock(mutex_);
  const auto in_use = supervisor_.in_use();
  gstflv::StructurePtr stats(gst_structure_new(
      "failoversrc-stats", "current-index", G_TYPE_INT, in_use ? static_cast<gint>(*in_use) : -1,
      "demand", G_TYPE_BOOLEAN, !std::holds_alternative<Supervisor::Unwanted>(supervisor_.demand()),
      "switches", G_TYPE_UINT64, supervisor_.switches(), "bytes-out", G_TYPE_UINT64,
      output_.total(), nullptr));
  GValue list = G_VALUE_INIT;
  g_value_init(&list, GST_TYPE_ARRAY);
  for (Index index = 0; index < slots_.size(); index++) {
    const Slot &slot = slots_[index];
    const Supervisor::Counters &counters = supervisor_.counters(index);
    const std::string uri = failover::without_secrets(slot.uri);
    const std::string state = states::name_of(supervisor_.source(index));
    const gstflv::StringPtr lower(g_ascii_strdown(state.c_str(), -1));
    std::size_t hanging = 0;
    for (const auto &run : slot.ending)
      hanging += run->has_ended() ? 0 : 1;
    GValue value = G_VALUE_INIT;
    g_value_init(&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed(
        &value,
        gst_structure_new(
            "source", "uri", G_TYPE_STRING, uri.c_str(), "state", G_TYPE_STRING, lower.get(),
            "blocked", G_TYPE_BOOLEAN, supervisor_.is_blocked(index), "attempts", G_TYPE_UINT64,
            counters.attempts, "losses", G_TYPE_UINT64, counters.losses, "repeats", G_TYPE_UINT64,
            counters.repeats, "bytes-in", G_TYPE_UINT64, slot.bytes, "last-reason", G_TYPE_STRING,
            reason_of(counters).c_str(), "last-text", G_TYPE_STRING, counters.last_text.c_str(),
            "ending", G_TYPE_UINT, static_cast<guint>(hanging), nullptr));
    gst_value_array_append_and_take_value(&list, &value);
  }
  gst_structure_take_value(stats.get(), "sources", &list);
  return stats;
}

} // namespace gstfailover

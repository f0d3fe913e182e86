#include "serving/flash.hpp"

#include "cache/name_cache.hpp"
#include "event_loop.hpp"
#include "net/network.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

namespace httpd {
namespace {

constexpr std::size_t files_given_up = 32; // by the cache, for want of descriptors

bool is_short_of_descriptors(int error) { return error == EMFILE || error == ENFILE; }

} // namespace

// ---- The name -------------------------------------------------------------------------------------------------------

connection::step flash_connection::answer_file() {
    open_retries_ = 0;
    asked_ns_ = shared_.loop.now_ns();
    auto found = shared_.names.find(file_name_, asked_ns_);
    file_ = std::move(found.file);
    if (found.known == name_cache::knowledge::none) return open_file();
    if (found.known == name_cache::knowledge::fresh) return file_ ? begin() : refuse_for(found.error);
    return then(&flash_connection::examined, shared_.files.status(*this, file_name_.c_str(), opened_.status));
}

connection::step flash_connection::examined() {
    if (!result_.failed() && shared_.names.renew(file_name_, opened_.status, asked_ns_)) return begin();
    file_.reset();
    return open_file();
}

connection::step flash_connection::open_file() {
    return then(&flash_connection::opened, shared_.files.open(*this, file_name_.c_str(), opened_));
}

connection::step flash_connection::opened() {
    const int descriptor = std::exchange(opened_.descriptor, -1);
    if (result_.failed()) {
        if (descriptor >= 0) shared_.closer(descriptor);
        const bool again = result_.error == EAGAIN ||
                           (is_short_of_descriptors(result_.error) && shared_.names.shrink(files_given_up) > 0);
        if (again && ++open_retries_ < open_retries_max) return open_file();
        return refuse_from_now_on(result_.error);
    }
    if (!S_ISREG(opened_.status.st_mode)) {
        shared_.closer(descriptor);
        return refuse_from_now_on(S_ISDIR(opened_.status.st_mode) ? EISDIR : EACCES);
    }
    file_.reset(new httpd::open_file(descriptor, opened_.status, shared_.closer));
    shared_.names.insert(file_name_, file_, asked_ns_);
    return begin();
}

connection::step flash_connection::refuse_from_now_on(int error) {
    shared_.names.insert(file_name_, error, asked_ns_);
    return refuse_for(error);
}

connection::step flash_connection::begin() {
    if (!file_->head) {
        const auto about = describe(file_name_, file_->status(), std::time(nullptr));
        file_->head = file_head{about, format_file_fields(about)};
    }
    return begin_file_response(*file_->head);
}

// ---- The bytes ------------------------------------------------------------------------------------------------------

connection::step flash_connection::send_file_response() {
    return then(&flash_connection::head_sent, send_head({}, body_left_ > 0), deadline::send);
}

connection::step flash_connection::head_sent() {
    if (!sent_all(head_length())) return give_up();
    return body_left_ > 0 ? send_body() : end_response();
}

connection::step flash_connection::send_body() {
    const auto length = std::min(body_left_, chunk_bytes);
    return then(&flash_connection::brought_in,
                shared_.files.bring_in(*this, file_->descriptor(), body_offset_, length));
}

connection::step flash_connection::brought_in() {
    if (result_.failed() || aborted_) return give_up();
    sending_ = static_cast<std::uint64_t>(result_.value);
    return then(&flash_connection::body_sent,
                shared_.net.send_file(*this, socket_, file_->descriptor(), body_offset_, sending_), deadline::send);
}

connection::step flash_connection::body_sent() {
    if (result_.value > 0) shared_.counts.bytes_read += static_cast<std::uint64_t>(result_.value);
    if (!sent_all(sending_)) {
        shared_.names.forget(file_name_); // perhaps it became shorter than the length we promised
        return give_up();
    }
    body_left_ -= sending_;
    return body_left_ > 0 ? send_body() : end_response();
}

} // namespace httpd

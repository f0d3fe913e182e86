#include "serving/thttpd.hpp"

#include "event_loop.hpp"
#include "net/network.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

namespace httpd {

// ---- The name -------------------------------------------------------------------------------------------------------

connection::step thttpd_connection::answer_file() {
    return then(&thttpd_connection::examined, shared_.files.status(*this, file_name_.c_str(), opened_.status));
}

connection::step thttpd_connection::examined() {
    // Only what was opened beneath the root is mapped, so that what has a mapping is beneath it under some name. Of all else
    // the status may lie outside, and must not tell what is there.
    const bool is_file = !result_.failed() && S_ISREG(opened_.status.st_mode);
    if (is_file) file_ = shared_.mappings.find(opened_.status, shared_.loop.now_ns());
    open_retries_ = 0;
    return file_ ? begin() : open_file();
}

connection::step thttpd_connection::open_file() {
    return then(&thttpd_connection::opened, shared_.files.open(*this, file_name_.c_str(), opened_));
}

connection::step thttpd_connection::opened() {
    const int descriptor = std::exchange(opened_.descriptor, -1);
    int error = result_.error;
    if (!result_.failed()) {
        if (!S_ISREG(opened_.status.st_mode)) error = S_ISDIR(opened_.status.st_mode) ? EISDIR : EACCES;
        else {
            auto mapped = shared_.mappings.insert(opened_.status, descriptor, shared_.loop.now_ns());
            file_ = std::move(mapped.file);
            error = mapped.error;
        }
    }
    if (descriptor >= 0) shared_.closer(descriptor);
    if (error == EAGAIN && ++open_retries_ < open_retries_max) return open_file();
    return file_ ? begin() : refuse_for(error);
}

connection::step thttpd_connection::begin() {
    const auto about = describe(file_name_, opened_.status, std::time(nullptr));
    return begin_file_response({about, format_file_fields(about)});
}

// ---- The bytes ------------------------------------------------------------------------------------------------------

connection::step thttpd_connection::send_file_response() {
    head_is_sent_ = false;
    return bring_in();
}

connection::step thttpd_connection::bring_in() {
    sending_ = std::min(body_left_, chunk_bytes);
    if (sending_ == 0) return then(&thttpd_connection::sent, send_head({}, false), deadline::send);
    return then(&thttpd_connection::brought_in,
                shared_.files.bring_in(*this, body(), static_cast<std::size_t>(sending_)));
}

// That it failed the send finds out by itself.
connection::step thttpd_connection::brought_in() {
    if (aborted_) return give_up();
    const iovec part{const_cast<char *>(body()), static_cast<std::size_t>(sending_)}; // it is only read
    if (!head_is_sent_) return then(&thttpd_connection::sent, send_head(part, false), deadline::send);
    parts_ = {part};
    return then(&thttpd_connection::sent, shared_.net.send(*this, socket_, parts_, false), deadline::send);
}

connection::step thttpd_connection::sent() {
    const auto head = std::exchange(head_is_sent_, true) ? 0 : head_length();
    if (!sent_all(head + sending_)) return give_up();
    shared_.counts.bytes_read += sending_;
    body_offset_ += static_cast<off_t>(sending_);
    body_left_ -= sending_;
    return body_left_ > 0 ? bring_in() : end_response();
}

} // namespace httpd

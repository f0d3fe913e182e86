#include "serving/flash.hpp"

#include "net/network.hpp"

#include <algorithm>
#include <utility>

namespace httpd {
namespace {

constexpr std::uint64_t chunk_bytes = 262144; // of a file for one connection, before it is the turn of the next
constexpr int open_retries_max = 16;          // when renames race with a walk through ".."

} // namespace

connection::step flash_connection::answer_file() {
    open_retries_ = 0;
    return open_file();
}

connection::step flash_connection::open_file() {
    return then(&flash_connection::opened, shared_.files.open(*this, file_name_.c_str(), file_));
}

connection::step flash_connection::opened() {
    if (result_.error == EAGAIN && ++open_retries_ < open_retries_max) return open_file();
    if (result_.failed()) return refuse_for(result_.error);
    return begin_file_response(file_.status);
}

connection::step flash_connection::send_body() {
    const auto length = std::min(body_left_, chunk_bytes);
    return then(&flash_connection::brought_in, shared_.files.bring_in(*this, file_.descriptor, body_offset_, length));
}

connection::step flash_connection::brought_in() {
    if (result_.failed() || aborted_) return give_up();
    sending_ = static_cast<std::uint64_t>(result_.value);
    return then(&flash_connection::body_sent,
                shared_.net.send_file(*this, socket_, file_.descriptor, body_offset_, sending_), deadline::send);
}

connection::step flash_connection::body_sent() {
    if (result_.value > 0) shared_.counts.bytes_read += static_cast<std::uint64_t>(result_.value);
    if (!sent_all(sending_)) return give_up();
    body_left_ -= sending_;
    return body_left_ > 0 ? send_body() : end_response();
}

connection::step flash_connection::release_file() {
    if (file_.descriptor < 0) return file_released();
    return then(&flash_connection::file_released, shared_.files.close(*this, std::exchange(file_.descriptor, -1)));
}

} // namespace httpd

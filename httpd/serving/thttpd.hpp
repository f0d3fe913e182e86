// The way of thttpd: one request a connection; stat(2) for each, whole files mapped and kept so, head and body sent by one
// writev(2).
#pragma once

#include "cache/mapped_file_cache.hpp"
#include "connection.hpp"
#include "disk/disk.hpp"

namespace httpd {

class thttpd_connection final : public connection {
public:
    using connection::connection;

private:
    step answer_file() override;
    step send_file_response() override;
    void release_file() override { file_.reset(); }
    bool persists() const override { return false; }

    step examined();
    step open_file();
    step opened();
    step begin();

    step bring_in();
    step brought_in();
    step sent();

    const char *body() const { return static_cast<const char *>(file_->address()) + body_offset_; }

    mapping_ref file_;
    opened_file opened_;
    int open_retries_ = 0;
    bool head_is_sent_ = false;
    std::array<iovec, 1> parts_{};
    std::uint64_t sending_ = 0; // bytes of the body that are being sent
};

} // namespace httpd

// The way of Flash: persistent connections; names, open files and what heads say of them are cached; files are sent by
// sendfile(2) from where the kernel keeps them.
#pragma once

#include "connection.hpp"
#include "disk/disk.hpp"

namespace httpd {

class flash_connection final : public connection {
public:
    using connection::connection;

private:
    step answer_file() override;
    step send_file_response() override;
    void release_file() override { file_.reset(); }
    bool persists() const override { return true; }

    step examined();
    step open_file();
    step opened();
    step refuse_from_now_on(int error);
    step begin();

    step head_sent();
    step send_body();
    step brought_in();
    step body_sent();

    file_ref file_;
    opened_file opened_;
    std::int64_t asked_ns_ = 0; // when the disk was asked about the name
    int open_retries_ = 0;
    std::uint64_t sending_ = 0; // bytes of the body that are being sent
};

} // namespace httpd

// The way of Flash: persistent connections, and files sent by sendfile(2) from where the kernel keeps them.
#pragma once

#include "connection.hpp"
#include "disk/disk.hpp"

namespace httpd {

class flash_connection final : public connection {
public:
    using connection::connection;

private:
    step answer_file() override;
    step send_body() override;
    step release_file() override;

    step open_file();
    step opened();
    step brought_in();
    step body_sent();

    opened_file file_;
    int open_retries_ = 0;
    std::uint64_t sending_ = 0; // bytes of the body that are being sent
};

} // namespace httpd

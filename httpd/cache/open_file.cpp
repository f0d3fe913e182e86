#include "cache/open_file.hpp"

namespace httpd {

void open_file::end(open_file *file) {
    file->closer_(file->descriptor_);
    delete file;
}

} // namespace httpd

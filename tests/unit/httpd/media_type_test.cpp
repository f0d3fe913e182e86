#include "http/media_type.hpp"

#include <gtest/gtest.h>

namespace httpd {
namespace {

TEST(media_type, follows_the_ending_of_the_name) {
    EXPECT_EQ(media_type_of("index.html"), "text/html");
    EXPECT_EQ(media_type_of("a.b/c.PNG"), "image/png");
    EXPECT_EQ(media_type_of("archive.tar.gz"), "application/gzip");
    EXPECT_EQ(media_type_of("x.7z"), "application/x-7z-compressed");
    EXPECT_EQ(media_type_of("x.zst"), "application/zstd");
}

TEST(media_type, is_bytes_when_nothing_is_known) {
    for (const auto *path : {"", "README", "a.html/README", "x.", "x.unknown", ".html", "dir/.html", "x.htm l", "html"})
        EXPECT_EQ(media_type_of(path), "application/octet-stream") << path;
}

} // namespace
} // namespace httpd

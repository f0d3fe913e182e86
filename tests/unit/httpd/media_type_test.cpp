#include "http/media_type.hpp"

#include <gtest/gtest.h>

namespace httpd {
namespace {

TEST(media_type, follows_the_ending_of_the_name) {
    EXPECT_EQ(media_type_of("index.html"), "text/html");
    EXPECT_EQ(media_type_of("archive.tar.gz"), "application/gzip");
    EXPECT_EQ(media_type_of("x.3gp"), "video/3gpp");
    EXPECT_EQ(media_type_of("x.zst"), "application/zstd");
    EXPECT_EQ(media_type_of("x.js"), "text/javascript");
    EXPECT_EQ(media_type_of("x.json"), "application/json");
    EXPECT_EQ(media_type_of("x.svg"), "image/svg+xml");
    EXPECT_EQ(media_type_of("x.woff2"), "font/woff2");
}

TEST(media_type, does_not_care_about_case) {
    EXPECT_EQ(media_type_of("a.b/c.PNG"), "image/png");
    EXPECT_EQ(media_type_of("c.WoFF2"), "font/woff2");
    EXPECT_EQ(media_type_of("c.3GP"), "video/3gpp");
}

TEST(media_type, is_bytes_when_nothing_is_known) {
    for (const auto *path : {"", "README", "a.html/README", "x.", "x.unknown", ".html", "dir/.html", "x.htm l", "html",
                             "x.htmlx", "x.ht", "x.\xff", "x.pn\xe7", "x.zzz", "x.0"})
        EXPECT_EQ(media_type_of(path), "application/octet-stream") << path;
}

} // namespace
} // namespace httpd

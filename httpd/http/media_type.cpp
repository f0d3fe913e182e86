#include "http/media_type.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace httpd {
namespace {

struct row {
    std::string_view extension;
    std::string_view type;
};

// Sorted by extension (checked below), lower case. No charset: the server does not know what is in the files.
// clang-format off
constexpr std::array table = {
    row{"7z", "application/x-7z-compressed"},
    row{"avif", "image/avif"},
    row{"bmp", "image/bmp"},
    row{"bz2", "application/x-bzip2"},
    row{"c", "text/plain"},
    row{"conf", "text/plain"},
    row{"cpp", "text/plain"},
    row{"css", "text/css"},
    row{"csv", "text/csv"},
    row{"deb", "application/vnd.debian.binary-package"},
    row{"eot", "application/vnd.ms-fontobject"},
    row{"epub", "application/epub+zip"},
    row{"gif", "image/gif"},
    row{"gz", "application/gzip"},
    row{"h", "text/plain"},
    row{"hpp", "text/plain"},
    row{"htm", "text/html"},
    row{"html", "text/html"},
    row{"ico", "image/vnd.microsoft.icon"},
    row{"ics", "text/calendar"},
    row{"jar", "application/java-archive"},
    row{"jpeg", "image/jpeg"},
    row{"jpg", "image/jpeg"},
    row{"js", "text/javascript"},
    row{"json", "application/json"},
    row{"jsonld", "application/ld+json"},
    row{"log", "text/plain"},
    row{"md", "text/markdown"},
    row{"mjs", "text/javascript"},
    row{"mp3", "audio/mpeg"},
    row{"mp4", "video/mp4"},
    row{"mpeg", "video/mpeg"},
    row{"oga", "audio/ogg"},
    row{"ogg", "audio/ogg"},
    row{"ogv", "video/ogg"},
    row{"otf", "font/otf"},
    row{"pdf", "application/pdf"},
    row{"png", "image/png"},
    row{"ps", "application/postscript"},
    row{"py", "text/x-python"},
    row{"rtf", "application/rtf"},
    row{"sh", "application/x-sh"},
    row{"svg", "image/svg+xml"},
    row{"tar", "application/x-tar"},
    row{"tex", "application/x-tex"},
    row{"tgz", "application/gzip"},
    row{"tif", "image/tiff"},
    row{"tiff", "image/tiff"},
    row{"ts", "video/mp2t"},
    row{"ttf", "font/ttf"},
    row{"txt", "text/plain"},
    row{"wasm", "application/wasm"},
    row{"wav", "audio/wav"},
    row{"weba", "audio/webm"},
    row{"webm", "video/webm"},
    row{"webp", "image/webp"},
    row{"woff", "font/woff"},
    row{"woff2", "font/woff2"},
    row{"xhtml", "application/xhtml+xml"},
    row{"xml", "application/xml"},
    row{"xz", "application/x-xz"},
    row{"yaml", "application/yaml"},
    row{"yml", "application/yaml"},
    row{"zip", "application/zip"},
    row{"zst", "application/zstd"},
};
// clang-format on

constexpr bool by_extension(const row &a, const row &b) { return a.extension < b.extension; }

static_assert(std::is_sorted(table.begin(), table.end(), by_extension), "the table is searched by halving");

} // namespace

std::string_view media_type_of(std::string_view path) {
    constexpr std::string_view unknown = "application/octet-stream";
    const auto name = path.substr(path.rfind('/') + 1); // npos + 1 is 0
    const auto dot = name.rfind('.');
    if (dot == std::string_view::npos || dot == 0) // ".html" is a hidden file, not a page
        return unknown;

    std::string extension(name.substr(dot + 1));
    for (char &c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const auto found = std::lower_bound(table.begin(), table.end(), row{extension, {}}, by_extension);
    return found != table.end() && found->extension == extension ? found->type : unknown;
}

} // namespace httpd

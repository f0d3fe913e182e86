#include "http/media_type.hpp"

#include <algorithm>
#include <array>

namespace httpd {
namespace {

struct row {
    std::string_view extension;
    std::string_view type;
};

// Sorted by extension (checked below), lower case. No charset, as nginx has it by default: the server does not know what is
// in the files, and what it said would overrule what an HTML, XML or CSS file says about itself. What is compressed is a
// type of its own and not a Content-Encoding: who asks for x.tar.gz wants to have that file.
// clang-format off
constexpr std::array table = {
    row{"3gp", "video/3gpp"},
    row{"3gpp", "video/3gpp"},
    row{"7z", "application/x-7z-compressed"},
    row{"aac", "audio/aac"},
    row{"ai", "application/postscript"},
    row{"aif", "audio/aiff"},
    row{"aiff", "audio/aiff"},
    row{"apk", "application/vnd.android.package-archive"},
    row{"apng", "image/apng"},
    row{"asf", "video/x-ms-asf"},
    row{"asx", "video/x-ms-asf"},
    row{"atom", "application/atom+xml"},
    row{"avi", "video/x-msvideo"},
    row{"avif", "image/avif"},
    row{"bin", "application/octet-stream"},
    row{"bmp", "image/bmp"},
    row{"br", "application/x-brotli"},
    row{"bz2", "application/x-bzip2"},
    row{"c", "text/plain"},
    row{"cc", "text/plain"},
    row{"cfg", "text/plain"},
    row{"cjs", "text/javascript"},
    row{"conf", "text/plain"},
    row{"cpp", "text/plain"},
    row{"crt", "application/x-x509-ca-cert"},
    row{"css", "text/css"},
    row{"csv", "text/csv"},
    row{"deb", "application/vnd.debian.binary-package"},
    row{"der", "application/x-x509-ca-cert"},
    row{"diff", "text/x-diff"},
    row{"dmg", "application/x-apple-diskimage"},
    row{"doc", "application/msword"},
    row{"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    row{"dtd", "application/xml-dtd"},
    row{"ear", "application/java-archive"},
    row{"eot", "application/vnd.ms-fontobject"},
    row{"eps", "application/postscript"},
    row{"epub", "application/epub+zip"},
    row{"exe", "application/vnd.microsoft.portable-executable"},
    row{"flac", "audio/flac"},
    row{"flv", "video/x-flv"},
    row{"geojson", "application/geo+json"},
    row{"gif", "image/gif"},
    row{"glb", "model/gltf-binary"},
    row{"gltf", "model/gltf+json"},
    row{"go", "text/plain"},
    row{"gpx", "application/gpx+xml"},
    row{"gz", "application/gzip"},
    row{"h", "text/plain"},
    row{"heic", "image/heic"},
    row{"heif", "image/heif"},
    row{"hpp", "text/plain"},
    row{"htm", "text/html"},
    row{"html", "text/html"},
    row{"ico", "image/vnd.microsoft.icon"},
    row{"ics", "text/calendar"},
    row{"img", "application/octet-stream"},
    row{"ini", "text/plain"},
    row{"iso", "application/octet-stream"},
    row{"jar", "application/java-archive"},
    row{"java", "text/plain"},
    row{"jfif", "image/jpeg"},
    row{"jp2", "image/jp2"},
    row{"jpeg", "image/jpeg"},
    row{"jpg", "image/jpeg"},
    row{"js", "text/javascript"},
    row{"json", "application/json"},
    row{"jsonl", "application/jsonl"},
    row{"jsonld", "application/ld+json"},
    row{"jxl", "image/jxl"},
    row{"kml", "application/vnd.google-earth.kml+xml"},
    row{"kmz", "application/vnd.google-earth.kmz"},
    row{"log", "text/plain"},
    row{"lz", "application/x-lzip"},
    row{"m3u8", "application/vnd.apple.mpegurl"},
    row{"m4a", "audio/mp4"},
    row{"m4v", "video/mp4"},
    row{"map", "application/json"},
    row{"md", "text/markdown"},
    row{"mid", "audio/midi"},
    row{"midi", "audio/midi"},
    row{"mjs", "text/javascript"},
    row{"mk", "text/plain"},
    row{"mka", "audio/x-matroska"},
    row{"mkv", "video/x-matroska"},
    row{"mml", "text/mathml"},
    row{"mng", "video/x-mng"},
    row{"mov", "video/quicktime"},
    row{"mp3", "audio/mpeg"},
    row{"mp4", "video/mp4"},
    row{"mpd", "application/dash+xml"},
    row{"mpeg", "video/mpeg"},
    row{"mpg", "video/mpeg"},
    row{"msi", "application/x-msi"},
    row{"odg", "application/vnd.oasis.opendocument.graphics"},
    row{"odp", "application/vnd.oasis.opendocument.presentation"},
    row{"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    row{"odt", "application/vnd.oasis.opendocument.text"},
    row{"oga", "audio/ogg"},
    row{"ogg", "audio/ogg"},
    row{"ogv", "video/ogg"},
    row{"opus", "audio/ogg"},
    row{"otf", "font/otf"},
    row{"patch", "text/x-diff"},
    row{"pdf", "application/pdf"},
    row{"pem", "text/plain"},
    row{"png", "image/png"},
    row{"ppt", "application/vnd.ms-powerpoint"},
    row{"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    row{"ps", "application/postscript"},
    row{"py", "text/x-python"},
    row{"rar", "application/vnd.rar"},
    row{"rpm", "application/x-rpm"},
    row{"rs", "text/plain"},
    row{"rss", "application/rss+xml"},
    row{"rst", "text/plain"},
    row{"rtf", "application/rtf"},
    row{"sh", "application/x-sh"},
    row{"shtml", "text/html"},
    row{"sql", "application/sql"},
    row{"srt", "application/x-subrip"},
    row{"svg", "image/svg+xml"},
    row{"swf", "application/x-shockwave-flash"},
    row{"tar", "application/x-tar"},
    row{"tex", "application/x-tex"},
    row{"tgz", "application/gzip"},
    row{"tif", "image/tiff"},
    row{"tiff", "image/tiff"},
    row{"toml", "application/toml"},
    row{"torrent", "application/x-bittorrent"},
    row{"ts", "video/mp2t"},
    row{"tsv", "text/tab-separated-values"},
    row{"ttf", "font/ttf"},
    row{"txt", "text/plain"},
    row{"vcf", "text/vcard"},
    row{"vtt", "text/vtt"},
    row{"war", "application/java-archive"},
    row{"wasm", "application/wasm"},
    row{"wav", "audio/wav"},
    row{"wbmp", "image/vnd.wap.wbmp"},
    row{"weba", "audio/webm"},
    row{"webm", "video/webm"},
    row{"webmanifest", "application/manifest+json"},
    row{"webp", "image/webp"},
    row{"wmv", "video/x-ms-wmv"},
    row{"woff", "font/woff"},
    row{"woff2", "font/woff2"},
    row{"xhtml", "application/xhtml+xml"},
    row{"xls", "application/vnd.ms-excel"},
    row{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    row{"xml", "application/xml"},
    row{"xpi", "application/x-xpinstall"},
    row{"xsl", "application/xslt+xml"},
    row{"xslt", "application/xslt+xml"},
    row{"xspf", "application/xspf+xml"},
    row{"xz", "application/x-xz"},
    row{"yaml", "application/yaml"},
    row{"yml", "application/yaml"},
    row{"zip", "application/zip"},
    row{"zst", "application/zstd"},
};
// clang-format on

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// As if both were in lower case.
constexpr bool is_before(std::string_view a, std::string_view b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                        [](char one, char other) { return lower(one) < lower(other); });
}

constexpr bool in_order(const row &a, const row &b) { return a.extension < b.extension; }
constexpr bool is_lower(const row &one) {
    return std::all_of(one.extension.begin(), one.extension.end(), [](char c) { return c == lower(c); });
}

static_assert(std::is_sorted(table.begin(), table.end(), in_order), "the table is searched by halving");
static_assert(std::all_of(table.begin(), table.end(), is_lower), "names are looked up in lower case");

} // namespace

std::string_view media_type_of(std::string_view path) {
    constexpr std::string_view unknown = "application/octet-stream";
    const auto name = path.substr(path.rfind('/') + 1); // npos + 1 is 0
    const auto dot = name.rfind('.');
    if (dot == std::string_view::npos || dot == 0) // ".html" is a hidden file, not a page
        return unknown;

    const auto extension = name.substr(dot + 1);
    const auto *const found = std::lower_bound(table.begin(), table.end(), extension, [](const row &one, auto wanted) {
        return is_before(one.extension, wanted);
    });
    return found != table.end() && !is_before(extension, found->extension) ? found->type : unknown;
}

} // namespace httpd

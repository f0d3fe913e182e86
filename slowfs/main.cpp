// laio-slowfs: the order of starting and ending.
#include "options.hpp"
#include "tree/folder_listing.hpp"
#include "tree/listing.hpp"

#include <fmt/format.h>

#include <sys/resource.h>

#include <filesystem>
#include <fstream>

namespace {

namespace fs = std::filesystem;

// Folders that are only implied by a list, and its files. The time is the paper's: 2004-06-27.
constexpr std::int64_t listed_s = 1088294400;
constexpr slowfs::attributes listed_folder{.mode = S_IFDIR | 0555, .modified_s = listed_s};
constexpr slowfs::attributes listed_file{.mode = S_IFREG | 0444, .modified_s = listed_s};

slowfs::tree read_list(const std::string &path) {
    std::ifstream from(path);
    if (!from) throw std::runtime_error(fmt::format("{}: {}", path, std::strerror(errno)));
    slowfs::tree files(listed_folder);
    slowfs::read_listing(from, path,
                         [&files](const slowfs::listed_file &one) { files.add(one.path, one.bytes, listed_file); });
    try {
        files.lay_out();
    } catch (const std::invalid_argument &wrong) {
        throw std::runtime_error(fmt::format("{}: {}", path, wrong.what()));
    }
    return files;
}

slowfs::tree read_folder(const std::string &path, const std::string &mount_point) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) throw std::runtime_error(fmt::format("{}: {}", path, std::strerror(errno)));
    if (!S_ISDIR(status.st_mode)) throw std::runtime_error(fmt::format("{}: is no folder", path));
    const auto below = fs::canonical(mount_point).lexically_relative(fs::canonical(path)).native();
    if (below != "." && !below.starts_with(".."))
        throw std::runtime_error(fmt::format("{} is inside {}: it would hide what it shows", mount_point, path));
    slowfs::tree files(slowfs::attributes_of(status));
    if (const auto left_out = slowfs::take_down(path, files); left_out > 0)
        fmt::print(stderr, "laio-slowfs: {} that are neither file nor folder nor symbolic link are left out\n",
                   left_out);
    return files;
}

// The old report stays until the new one is there.
void write_report(const std::string &path, const std::string &report) {
    if (path.empty()) return;
    if (path == "-") {
        fmt::print("{}", report);
        std::fflush(stdout);
        return;
    }
    const auto beside = path + ".new";
    std::ofstream to(beside);
    to << report;
    to.close();
    if (!to || std::rename(beside.c_str(), path.c_str()) != 0)
        throw std::runtime_error(fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
}

// Each read of a folder has a descriptor while it waits.
void raise_descriptor_limit() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void serve(slowfs::options options) {
    raise_descriptor_limit();
    if (!fs::is_directory(options.mount.at)) throw std::runtime_error(options.mount.at + ": is no folder to mount at");
    // In the background the working directory is another one.
    options.mount.at = fs::canonical(options.mount.at);
    if (!options.statistics.empty() && options.statistics != "-") options.statistics = fs::absolute(options.statistics);

    const auto files = options.list.empty() ? read_folder(options.folder, options.mount.at) : read_list(options.list);
    const auto bytes =
        options.list.empty() ? slowfs::folder_source(files, options.folder) : slowfs::synthetic_source(files);
    options.model.arm.span_bytes = options.span_bytes == 0 ? files.disk_bytes() : options.span_bytes;
    const auto disk = slowfs::make_disk(options.model);
    const slowfs::disk_clock clock(options.speed);
    slowfs::file_system shown(files, *bytes, options.costs, *disk, clock, options.kernel);
    slowfs::report_context about{.model = slowfs::model_names.at(static_cast<std::size_t>(options.model.which)),
                                 .files_bytes = files.disk_bytes(),
                                 .span_bytes = options.model.arm.span_bytes,
                                 .nodes = files.size()};
    const auto report = [&] {
        write_report(options.statistics, shown.report(about));
        ++about.number;
    };

    {
        slowfs::session session(shown, options.mount);
        session.begin();
        if (options.statistics != "-") report();
        fmt::print("ready\n");
        std::fflush(stdout);
        if (options.in_background && fuse_daemonize(0) != 0) throw std::runtime_error("cannot go to the background");
        session.run(report);
    }
    report();
}

} // namespace

int main(int argc, char **argv) {
    try {
        serve(slowfs::parse_options(argc, argv));
        return 0;
    } catch (const slowfs::nothing_to_do &done) { return done.exit_code; } catch (const std::exception &failure) {
        fmt::print(stderr, "laio-slowfs: {}\n", failure.what());
        return 1;
    }
}

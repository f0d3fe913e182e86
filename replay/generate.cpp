// laio-replay generate: a workload into a folder: tree, trace, files and parameters.json. The tree comes first, since it may
// fail; if one cannot be written, none of the four is left. Live progress is on stderr where that is a terminal.

#include "output_file.hpp"
#include "subcommand.hpp"
#include "trace/input_error.hpp"
#include "trace/input_file.hpp"
#include "trace/text_format.hpp"
#include "workload/description.hpp"
#include "workload/tree_writer.hpp"
#include "workload/workload.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>

namespace replay {
namespace {

namespace fs = std::filesystem;

struct generate_options {
    std::string workload, out;
    std::optional<double> scale, seed;
    std::vector<std::string> assignments;
    bool no_tree = false, json = false;
};

workload_parameters parameters_of(const generate_options &options) {
    workload_parameters made;
    if (options.workload.ends_with(".json")) {
        input_file in(options.workload);
        try {
            made = parameters_from_json(nlohmann::json::parse(in.stream()));
        } catch (const nlohmann::json::exception &error) {
            throw input_error(in.name() + ": " + error.what());
        } catch (const std::invalid_argument &error) { throw input_error(in.name() + ": " + error.what()); }
    } else made = named_workload(options.workload);
    if (options.scale) made.scale = *options.scale;
    if (options.seed) made.seed = *options.seed;
    for (const auto &one : options.assignments) set_parameter(made, one);
    check_parameters(made);
    return made;
}

// At most ten lines a second.
class tree_teller {
public:
    explicit tree_teller(std::uint64_t bytes) : bytes_(bytes), is_terminal_(::isatty(STDERR_FILENO) != 0) {}

    void tell(std::uint64_t written) {
        const auto now = std::chrono::steady_clock::now();
        if (!is_terminal_ || (now < next_ && written < bytes_)) return;
        next_ = now + std::chrono::milliseconds(100);
        fmt::print(stderr, "\rtree: {:.2f} of {:.2f} GB{}", static_cast<double>(written) / 1e9,
                   static_cast<double>(bytes_) / 1e9, written < bytes_ ? "" : "\n");
    }

private:
    std::uint64_t bytes_;
    bool is_terminal_;
    std::chrono::steady_clock::time_point next_{};
};

// Removes what it made, unless that is to be kept.
class made_files {
public:
    explicit made_files(fs::path folder) : folder_(std::move(folder)) {
        for (const char *name : {"tree", "trace", "files", "parameters.json"})
            if (fs::exists(fs::symlink_status(folder_ / name)))
                throw std::runtime_error((folder_ / name).string() + ": exists already");
        is_new_ = fs::create_directories(folder_);
    }
    made_files(const made_files &) = delete;
    made_files &operator=(const made_files &) = delete;
    ~made_files() {
        std::error_code ignored;
        for (const auto &one : names_) fs::remove_all(one, ignored);
        if (is_new_ && !is_kept_) fs::remove(folder_, ignored);
    }

    std::string add(const char *name) { return names_.emplace_back((folder_ / name).string()); }
    void keep() {
        names_.clear();
        is_kept_ = true;
    }

private:
    fs::path folder_;
    std::vector<std::string> names_;
    bool is_new_ = false, is_kept_ = false;
};

template <typename Write> void write_file(const std::string &path, Write write) {
    output_file out(path);
    write(out.stream());
    out.commit();
}

int generate(const generate_options &options) {
    workload made;
    workload_parameters parameters;
    try {
        parameters = parameters_of(options);
        made = make_workload(parameters);
    } catch (const std::invalid_argument &error) { throw usage_error(error.what()); }
    made_files out(options.out);
    const description described = describe(made.requests, find_in_list(made.files));
    if (!options.no_tree) {
        tree_teller teller(described.footprint_bytes);
        const std::string tree = (fs::path(options.out) / "tree").string();
        write_tree(made.files, tree, [&](std::uint64_t written) { teller.tell(written); });
        out.add("tree");
    }
    write_file(out.add("files"), [&](std::ostream &to) { write_file_list(made.files, to); });
    write_file(out.add("trace"), [&](std::ostream &to) { write_text(made.requests, to); });
    write_file(out.add("parameters.json"), [&](std::ostream &to) { to << to_json(parameters).dump(2) << '\n'; });
    out.keep();
    if (options.json) {
        auto summary = to_json(described);
        summary["body_median_bytes"] = made.body_median_bytes;
        summary["body_sigma"] = made.body_sigma;
        print(summary.dump(2) + "\n");
    } else {
        auto text = to_text(described);
        if (made.body_sigma > 0)
            text += fmt::format("body of sizes          log-normal, median {:.0f} bytes, sigma {:.2f}\n",
                                made.body_median_bytes, made.body_sigma);
        print(text);
    }
    return 0;
}

std::string parameters_help() {
    const workload_parameters defaults;
    std::string text =
        "Parameters (defaults; the named workloads set those that have none, docs/workloads.md has all):\n";
    for (const parameter &one : parameter_table()) {
        const double value = defaults.*one.member;
        text += fmt::format("  {:<24}{}{}\n", one.name, one.meaning, value == 0 ? "" : fmt::format(" ({})", value));
    }
    return text;
}

} // namespace

subcommand add_generate(CLI::App &app) {
    auto *made = app.add_subcommand("generate", "Make a workload: DIR/tree, DIR/trace, DIR/files, DIR/parameters.json");
    const auto options = std::make_shared<generate_options>();
    made->add_option("WORKLOAD", options->workload, "rice, berkeley, flat, metadata, or a JSON file of parameters")
        ->required();
    made->add_option("--out", options->out, "The folder")->required()->type_name("DIR");
    made->add_option("--scale", options->scale, "Requests and footprint times so much")->type_name("F");
    made->add_option("--seed", options->seed, "Of everything random")->type_name("N");
    made->add_option("--set", options->assignments, "A parameter's value; may be repeated")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    made->add_flag("--no-tree", options->no_tree, "Do not write DIR/tree: laio-slowfs presents DIR/files");
    made->add_flag("--json", options->json, "Print what was made as JSON");
    made->footer(parameters_help());
    return {made, [options] { return generate(*options); }};
}

} // namespace replay

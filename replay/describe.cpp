// laio-replay describe: a trace in numbers, with the sizes of the files that it asks for.

#include "output_file.hpp"
#include "subcommand.hpp"
#include "trace/text_format.hpp"
#include "workload/description.hpp"

#include <nlohmann/json.hpp>

#include <memory>

namespace replay {
namespace {

struct describe_options {
    std::string trace_file, tree, files;
    bool json = false;
};

int describe_trace(const describe_options &options) {
    const file_finder find =
        options.tree.empty() ? find_in_list(read_file_list(options.files)) : find_in_tree(options.tree);
    const description made = describe(read_text_file(options.trace_file), find);
    print(options.json ? to_json(made).dump(2) + "\n" : to_text(made));
    return 0;
}

} // namespace

subcommand add_describe(CLI::App &app) {
    auto *made =
        app.add_subcommand("describe", "Describe a trace: requests, footprint, shares of bytes, sequences, popularity");
    const auto options = std::make_shared<describe_options>();
    made->add_option("TRACE", options->trace_file, "The trace; - is standard input")->required();
    auto *sizes = made->add_option_group("sizes", "Where the sizes of the files are found");
    sizes->add_option("--tree", options->tree, "In this folder")->type_name("DIR");
    sizes->add_option("--files", options->files, "In this list: lines SIZE PATH")->type_name("LIST");
    sizes->require_option(1);
    made->add_flag("--json", options->json, "Print JSON");
    return {made, [options] { return describe_trace(*options); }};
}

} // namespace replay

#include "server.hpp"

#include "disk/root.hpp"
#include "net/socket_address.hpp"

#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <system_error>
#include <utility>

namespace httpd {
namespace {

constexpr int backlog = 4096;
constexpr std::chrono::milliseconds linger_timeout{2000};
constexpr std::chrono::milliseconds accept_retry_time{100};
constexpr std::chrono::milliseconds grace_timeout{1000};
constexpr std::chrono::milliseconds upkeep_time{1000};

int open_signals() {
    sigset_t ours;
    sigemptyset(&ours);
    for (const int one : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&ours, one);
    const int descriptor = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    if (descriptor < 0 || sigprocmask(SIG_BLOCK, &ours, nullptr) != 0)
        throw std::system_error(errno, std::generic_category(), "signalfd");
    return descriptor;
}

} // namespace

server::server(const server_options &options, std::function<void()> report)
    : options_(options), report_(std::move(report)), root_(open_root(options.directory)),
      listening_socket_(listen_on(options.address, options.port, backlog)), signals_(open_signals()),
      with_(*options.chosen, root_, options.disk_concurrency), loop_(*with_.waiting), closing_(*with_.files),
      close_([this](int descriptor) { closing_.close(descriptor); }), names_(options.caches),
      mappings_(options.caches, [](void *address, std::size_t size) { ::munmap(address, size); }),
      log_(options.log.empty() ? nullptr : std::make_unique<access_log>(options.log)),
      service_{.loop = loop_,
               .net = *with_.net,
               .files = *with_.files,
               .names = names_,
               .mappings = mappings_,
               .closer = close_,
               .counts = counts_,
               .limits = options_.limits,
               .log = log_.get(),
               .on_closed = [this](connection &which) { closed(which); }},
      listener_(loop_, *with_.net, counts_, listening_socket_,
                {.has_room = [this] { return connections_.size() < options_.connections_max; },
                 .accepted = [this](int socket) { accepted(socket); },
                 .closed =
                     [this] {
                         listener_closed_ = true;
                         end_when_all_ended();
                     }}) {
    if (options.chosen->net == network_kind::nonblocking) make_nonblocking(listening_socket_);
    loop_.set_duration(deadline::idle, options_.idle_timeout);
    loop_.set_duration(deadline::head, options_.head_timeout);
    loop_.set_duration(deadline::send, options_.send_timeout);
    loop_.set_duration(deadline::linger, linger_timeout);
    loop_.set_duration(deadline::accept_retry, accept_retry_time);
    loop_.set_duration(deadline::drain, options_.drain_timeout);
    loop_.set_duration(deadline::grace, grace_timeout);
    loop_.set_duration(deadline::upkeep, upkeep_time);
}

server::~server() {
    ::close(signals_);
    ::close(root_);
}

server_report server::report() const {
    return {.version = options_.chosen->name,
            .counts = counts_,
            .turns = loop_.turns(),
            .names = names_.statistics(),
            .mappings = mappings_.statistics(),
            .log_lines_dropped = log_ != nullptr ? log_->dropped() : 0,
            .log_errors = log_ != nullptr ? log_->errors() : 0,
            .has_laio = with_.calls != nullptr};
}

std::string server::url() const { return url_of(listening_socket_); }

bool server::run() {
    wait_for_signal();
    listener_.start();
    keeper_.turn();
    loop_.run();
    return connections_.empty() && listener_closed_;
}

void server::accepted(int socket) {
    auto fresh = make_connection(*options_.chosen, service_, socket);
    auto &which = *fresh;
    connections_.emplace(&which, std::move(fresh));
    ++counts_.connections;
    counts_.connections_open = connections_.size();
    counts_.connections_peak = std::max(counts_.connections_peak, counts_.connections_open);
    loop_.run_later(which);
}

void server::closed(connection &which) {
    connections_.erase(&which);
    counts_.connections_open = connections_.size();
    listener_.resume();
    end_when_all_ended();
}

void server::wait_for_signal() {
    const auto result = loop_.readable(*this, signals_);
    if (!result.in_background()) throw std::system_error(result.error, std::generic_category(), "signals");
}

void server::completed(outcome result) {
    signalfd_siginfo signal{};
    while (!result.failed() && ::read(signals_, &signal, sizeof signal) > 0) heed(signal.ssi_signo);
    wait_for_signal();
}

void server::heed(unsigned signal) {
    if (signal == SIGUSR1) report_();
    else if (signal != SIGHUP) drain();
    else if (log_ != nullptr) log_->reopen();
}

void server::keeper::turn() {
    const auto now_ns = owner_.loop_.now_ns();
    const bool more_names = owner_.names_.expire(now_ns);
    const bool more_mappings = owner_.mappings_.expire(now_ns);
    if (more_names || more_mappings) owner_.loop_.run_later(*this);
    else owner_.loop_.arm(*this, deadline::upkeep);
}

void server::drain() {
    if (stage_ != stage::serving) {
        cut_off();
        return;
    }
    stage_ = stage::draining;
    service_.stopping = true;
    loop_.arm(*this, deadline::drain);
    listener_.stop();
    for (const auto &[which, owned] : connections_) which->stop();
}

void server::cut_off() {
    stage_ = stage::cutting_off;
    loop_.arm(*this, deadline::grace);
    for (const auto &[which, owned] : connections_) which->abort();
}

void server::deadline_passed() {
    if (stage_ == stage::cutting_off) loop_.stop();
    else cut_off();
}

void server::end_when_all_ended() {
    if (stage_ != stage::serving && connections_.empty() && listener_closed_) loop_.stop();
}

} // namespace httpd

#include "server.hpp"

#include "call.hpp"
#include "disk/laio_disk.hpp"
#include "net/laio_network.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <system_error>

namespace httpd {
namespace {

constexpr int backlog = 4096;
constexpr std::chrono::milliseconds linger_timeout{2000};
constexpr std::chrono::milliseconds accept_retry_time{100};
constexpr std::chrono::milliseconds grace_timeout{1000};

int open_signals() {
    sigset_t to_stop;
    sigemptyset(&to_stop);
    sigaddset(&to_stop, SIGTERM);
    sigaddset(&to_stop, SIGINT);
    const int descriptor = signalfd(-1, &to_stop, SFD_CLOEXEC);
    if (descriptor < 0 || sigprocmask(SIG_BLOCK, &to_stop, nullptr) != 0)
        throw std::system_error(errno, std::generic_category(), "signalfd");
    return descriptor;
}

} // namespace

server::server(const server_options &options)
    : options_(options), root_(disk::open_root(options.directory)),
      listening_socket_(net::listen_on(options.address, options.port, backlog)),
      signals_(open_signals()), service_{.loop = loop_,
                                         .counts = counts_,
                                         .limits = options_.limits,
                                         .root = root_,
                                         .on_closed = [this](connection &which) { closed(which); }},
      listener_(loop_, counts_, listening_socket_,
                {.has_room = [this] { return connections_.size() < options_.connections_max; },
                 .accepted = [this](int socket) { accepted(socket); },
                 .closed =
                     [this] {
                         listener_closed_ = true;
                         end_when_all_ended();
                     }}) {
    loop_.set_duration(deadline::idle, options_.idle_timeout);
    loop_.set_duration(deadline::head, options_.head_timeout);
    loop_.set_duration(deadline::send, options_.send_timeout);
    loop_.set_duration(deadline::linger, linger_timeout);
    loop_.set_duration(deadline::accept_retry, accept_retry_time);
    loop_.set_duration(deadline::drain, options_.drain_timeout);
    loop_.set_duration(deadline::grace, grace_timeout);
}

server::~server() {
    laio_fini(); // the read of a signal is still in the background, into signal_
    ::close(signals_);
    ::close(root_);
}

std::string server::url() const { return net::url_of(listening_socket_); }

bool server::run() {
    wait_for_signal();
    listener_.start();
    loop_.run();
    return connections_.empty() && listener_closed_;
}

void server::accepted(int socket) {
    auto fresh = std::make_unique<connection>(service_, socket);
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
    for (;;) {
        const auto result = call(*this, SYS_read, signals_, &signal_, sizeof signal_);
        if (result.in_background()) return;
        if (result.failed() && result.error != EINTR)
            throw std::system_error(result.error, std::generic_category(), "read of a signal descriptor");
        if (!result.failed()) drain();
    }
}

void server::completed(outcome result) {
    if (!result.failed()) drain();
    wait_for_signal();
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

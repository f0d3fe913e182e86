// Requests for the same thing wait for the one that was made first: a name that two connections look up at once, a
// range of a file that ten want in memory. Who is the first to join() makes the request, and hands its outcome to
// deliver(). One thread. Waiters are their owners', and may leave, or be destroyed, at any time: also from within
// another's callback. A request whose waiters have all left is still under way (its call may be in the kernel): others
// can join it until its outcome is there. Bounded by its users: a waiter for each connection, and as many requests as
// the disk takes at once. An outcome goes to all: it must be shareable (a file_ref, not a bare descriptor).
#pragma once

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <unordered_map>
#include <utility>

namespace httpd {

// Waits for one thing at a time.
template <typename outcome> class joined_waiter {
public:
    joined_waiter(const joined_waiter &) = delete;
    joined_waiter &operator=(const joined_waiter &) = delete;

    virtual void delivered(const outcome &result) = 0; // it waits no longer, and may join again
    bool waiting() const { return hook_.is_linked(); }
    void leave() { hook_.unlink(); } // also when it does not wait

protected:
    joined_waiter() = default;
    ~joined_waiter() = default; // leaves

private:
    template <typename, typename, typename> friend class joined;
    using hook = boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
    hook hook_;
};

// With a transparent hash (name_hash.hpp for names) it is asked without making a key.
template <typename key, typename outcome, typename hash = std::hash<key>> class joined {
public:
    using waiter = joined_waiter<outcome>;

    // True: nobody has asked for it; the caller makes the request. False: it is under way.
    template <typename key_view> bool join(const key_view &what, waiter &who) {
        if (who.waiting()) std::abort();
        auto request = requests_.find(what);
        const bool first = request == requests_.end();
        if (first) request = requests_.try_emplace(key(what)).first;
        request->second.push_back(who);
        ++(first ? made_ : shared_);
        return first;
    }

    // Ends the request, then tells those who wait for it, in the order in which they joined: who asks for the same
    // thing from its callback makes a new request. Says how many there were.
    template <typename key_view> std::size_t deliver(const key_view &what, const outcome &result) {
        const auto request = requests_.find(what);
        if (request == requests_.end()) return 0;
        waiters waiting = std::move(request->second);
        requests_.erase(request);

        std::size_t told = 0;
        for (; !waiting.empty(); ++told) {
            auto &next = waiting.front();
            waiting.pop_front();
            next.delivered(result);
        }
        return told;
    }

    // False also for a request under way that all have left.
    template <typename key_view> bool wanted(const key_view &what) const {
        const auto request = requests_.find(what);
        return request != requests_.end() && !request->second.empty();
    }

    std::size_t under_way() const { return requests_.size(); }
    std::uint64_t made() const { return made_; }     // joins that were the first
    std::uint64_t shared() const { return shared_; } // joins that found a request under way

private:
    using waiters =
        boost::intrusive::list<waiter, boost::intrusive::member_hook<waiter, typename waiter::hook, &waiter::hook_>,
                               boost::intrusive::constant_time_size<false>>;

    std::unordered_map<key, waiters, hash, std::equal_to<>> requests_;
    std::uint64_t made_ = 0;
    std::uint64_t shared_ = 0;
};

} // namespace httpd

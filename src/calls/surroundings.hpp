// What a loop knows of the world its calls run in: the kernel's features, the engines it has, the file systems, what
// each kind of file was seen to refuse, and what each descriptor number last was.
//
// The last is a hint only. Numbers are closed and reused behind our back, so a hint decides what is tried first, never
// what a call does: every attempt is safe, and right, on any kind of file. The room of a socket is remembered where closes are
// told only, and a call that trusts it too much is left behind. Used by the loop's thread.
#pragma once

#include "kernel/features.hpp"
#include "kernel/file.hpp"
#include "kernel/file_systems.hpp"
#include "kernel/residency.hpp"

#include <cstddef>
#include <cstdint>

namespace laio {

// What a descriptor number was when it was looked at last.
struct descriptor_hint {
    unsigned key; // the descriptor + 1, so that zero is none
    file_kind kind;
    bool refuses;         // RWF_NOWAIT
    bool waited;          // the last call that took bytes from it did
    std::uint8_t untimed; // a socket without SO_RCVTIMEO: 1, without SO_SNDTIMEO: 2; see decision 0019
    bool unmarked;        // a socket whose SO_RCVLOWAT is 1; likewise
    std::uint32_t room;   // bytes that may go before the socket is asked again how much it has queued: decision 0025
};

class descriptor_hints {
public:
    [[nodiscard]] descriptor_hint of(int descriptor) const {
        const descriptor_hint &hint = hints_[static_cast<unsigned>(descriptor) % capacity];
        return hint.key == key_of(descriptor) ? hint : descriptor_hint{};
    }
    [[nodiscard]] file_kind kind(int descriptor) const { return of(descriptor).kind; }
    [[nodiscard]] bool is_untimed(int descriptor, bool to_write) const {
        return (of(descriptor).untimed & untimed_bit(to_write)) != 0;
    }
    void note(int descriptor, file_kind kind, bool refuses = false) {
        hints_[static_cast<unsigned>(descriptor) % capacity] = {key_of(descriptor), kind, refuses, false, {}, false, 0};
    }
    // It is what it seemed to be: what else is known of it stays.
    void note_socket(int descriptor) {
        if (kind(descriptor) != file_kind::socket) note(descriptor, file_kind::socket);
    }
    void note_waited(int descriptor, bool waited) {
        if (descriptor_hint *hint = find(descriptor); hint != nullptr) hint->waited = waited;
    }
    void note_untimed(int descriptor, bool to_write) {
        if (descriptor_hint *hint = find(descriptor); hint != nullptr) hint->untimed |= untimed_bit(to_write);
    }
    [[nodiscard]] bool is_unmarked(int descriptor) const { return of(descriptor).unmarked; }
    void note_unmarked(int descriptor) {
        if (descriptor_hint *hint = find(descriptor); hint != nullptr) hint->unmarked = true;
    }
    void note_room(int descriptor, std::uint32_t room) {
        if (descriptor_hint *hint = find(descriptor); hint != nullptr) hint->room = room;
    }
    // Somebody sent so much: a byte takes the room of what the kernel keeps it in, too.
    void use_room(int descriptor, std::uint64_t bytes) {
        const std::uint64_t taken = bytes + beside_a_send;
        if (descriptor_hint *hint = find(descriptor); hint != nullptr)
            hint->room -= static_cast<std::uint32_t>(taken < hint->room ? taken : hint->room);
    }
    // False: it has to be asked.
    bool take_room(int descriptor, std::uint64_t bytes) {
        descriptor_hint *hint = find(descriptor);
        if (hint == nullptr || hint->room < bytes) return false;
        hint->room -= static_cast<std::uint32_t>(bytes);
        return true;
    }
    void forget(int descriptor) {
        if (descriptor >= 0) note(descriptor, file_kind::unknown);
    }
    void forget(unsigned first, unsigned last) {
        for (descriptor_hint &hint : hints_)
            if (hint.key > first && hint.key - 1 <= last) hint = {};
    }

    static constexpr std::uint64_t beside_a_send = 1024;

private:
    static std::uint8_t untimed_bit(bool to_write) { return to_write ? 2 : 1; }
    static unsigned key_of(int descriptor) { return static_cast<unsigned>(descriptor) + 1; }
    [[nodiscard]] descriptor_hint *find(int descriptor) {
        descriptor_hint &hint = hints_[static_cast<unsigned>(descriptor) % capacity];
        return hint.key == key_of(descriptor) ? &hint : nullptr;
    }

    static constexpr std::size_t capacity = 1024;
    descriptor_hint hints_[capacity]{};
};

// The kinds of file (device and type) that answered EOPNOTSUPP or EINVAL to RWF_NOWAIT. Bounded: the oldest is forgotten.
class refusals {
public:
    void add(const file_identity &file) {
        if (!has(file)) known_[next_++ % capacity] = file;
    }
    [[nodiscard]] bool has(const file_identity &file) const {
        for (std::size_t i = 0; i < capacity && i < next_; ++i)
            if (known_[i].kind == file.kind && known_[i].device_major == file.device_major &&
                known_[i].device_minor == file.device_minor)
                return true;
        return false;
    }

private:
    static constexpr std::size_t capacity = 16;
    file_identity known_[capacity]{};
    std::size_t next_ = 0;
};

struct surroundings {
    features has;
    bool waits_in_epoll = true; // else calls that wait for descriptors are given to carriers
    bool has_ring = false;
    bool makes_in_place = false; // activations are open: a call that may block can be made on the spot
    bool sockets_in_ring = false;
    bool assumes_blocking = false; // the application promised that none of its descriptors has O_NONBLOCK
    bool remembers_room = false;   // it promised that a number becomes another file with our knowledge only
    file_systems mounts;
    refusals no_nowait;
    page_counts counts;
    descriptor_hints hints;

    // Calls whose last one waited may go to the ring unattempted.
    [[nodiscard]] bool leaves_attempts_to_ring() const { return sockets_in_ring && assumes_blocking; }

    [[nodiscard]] bool is_nonblocking(int descriptor) const {
        return !assumes_blocking && laio::is_nonblocking(descriptor);
    }

    // What the number seems to be; it is looked at if nothing is known of it.
    file_kind kind_of(int descriptor) {
        const file_kind hint = hints.kind(descriptor);
        file_identity file{};
        if (hint != file_kind::unknown || identify(descriptor, file) < 0) return hint;
        hints.note(descriptor, file.kind);
        return file.kind;
    }

    [[nodiscard]] bool is_local(const file_identity &file) {
        return file.kind == file_kind::socket || file.kind == file_kind::pipe || file.kind == file_kind::anonymous ||
               mounts.is_local(file.device_major, file.device_minor);
    }
};

} // namespace laio

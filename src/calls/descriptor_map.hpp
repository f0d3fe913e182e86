// A hash map from descriptor numbers to records that are linked into it: struct T { int descriptor; T *next_in_bucket; }.
// Owns its buckets, not the records. Never fails to insert: without memory for more buckets the chains grow longer.
#pragma once

#include <cstddef>
#include <cstdlib>

namespace laio {

template <class T> class descriptor_map {
public:
    descriptor_map() = default;
    ~descriptor_map() {
        if (buckets_ != inside_) std::free(static_cast<void *>(buckets_));
    }
    descriptor_map(const descriptor_map &) = delete;
    descriptor_map &operator=(const descriptor_map &) = delete;

    [[nodiscard]] bool empty() const { return count_ == 0; }

    [[nodiscard]] T *find(int descriptor) const {
        T *record = *bucket(descriptor);
        while (record != nullptr && record->descriptor != descriptor) record = record->next_in_bucket;
        return record;
    }

    void insert(T &record) {
        if (count_ >= 2 * bucket_count_) grow();
        T **place = bucket(record.descriptor);
        record.next_in_bucket = *place;
        *place = &record;
        ++count_;
    }

    void remove(T &record) {
        T **place = bucket(record.descriptor);
        while (*place != &record) place = &(*place)->next_in_bucket;
        *place = record.next_in_bucket;
        --count_;
    }

    // `act` may take out the one that it is given.
    template <class F> void for_each(F act) const {
        for (std::size_t i = 0; i < bucket_count_; ++i) {
            for (T *record = buckets_[i]; record != nullptr;) {
                T *next = record->next_in_bucket;
                act(*record);
                record = next;
            }
        }
    }

    // Takes all of them out, one after another.
    template <class F> void clear(F end) {
        for (std::size_t i = 0; i < bucket_count_; ++i) {
            while (T *record = buckets_[i]) {
                buckets_[i] = record->next_in_bucket;
                end(*record);
            }
        }
        count_ = 0;
    }

private:
    // descriptors are small and dense: their low bits are the best hash there is
    [[nodiscard]] T **bucket(int descriptor) const {
        return &buckets_[static_cast<unsigned>(descriptor) & (bucket_count_ - 1)];
    }

    void grow() {
        const std::size_t old_count = bucket_count_;
        T **old = buckets_;
        T **larger = static_cast<T **>(std::calloc(4 * old_count, sizeof(T *)));
        if (larger == nullptr) return;
        buckets_ = larger;
        bucket_count_ = 4 * old_count;
        for (std::size_t i = 0; i < old_count; ++i) {
            for (T *record = old[i]; record != nullptr;) {
                T *next = record->next_in_bucket;
                T **place = bucket(record->descriptor);
                record->next_in_bucket = *place;
                *place = record;
                record = next;
            }
        }
        if (old != inside_) std::free(static_cast<void *>(old));
    }

    T *inside_[16]{};
    T **buckets_ = inside_;
    std::size_t bucket_count_ = 16;
    std::size_t count_ = 0;
};

} // namespace laio

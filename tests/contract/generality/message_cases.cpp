// Message queues, semaphores and shared memory: msgrcv(2), semop(2), shmat(2), mq_receive(3). All ids are private ones and
// are removed again.
#include "generality/cases.hpp"

#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

namespace laio::test {
namespace {

struct text_message {
    long type = 1;
    std::array<char, 16> text{};
};

void play_message_queue(stage &s) {
    const int queue = static_cast<int>(s.call_for_value(SYS_msgget, IPC_PRIVATE, IPC_CREAT | 0600));
    text_message message;
    message.text = {'h', 'e', 'l', 'l', 'o'};
    s.call(SYS_msgsnd, queue, &message, 6, 0);
    text_message received;
    s.call(SYS_msgrcv, queue, &received, 16, 0, 0);
    s.note("text", received.text.data());
    s.call(SYS_msgrcv, queue, &received, 16, 0, IPC_NOWAIT);
    message.text = {'l', 'a', 't', 'e'};
    s.call_while([&] { EXPECT_EQ(msgsnd(queue, &message, 5, 0), 0); }, SYS_msgrcv, queue, &received, 16, 0, 0);
    s.note("text", received.text.data());
    s.call(SYS_msgsnd, queue, &message, 5, 0);
    s.call(SYS_msgrcv, queue, &received, 1, 0, 0);
    message.type = -1;
    s.call(SYS_msgsnd, queue, &message, 5, 0);
    s.call(SYS_msgctl, queue, IPC_RMID, nullptr);
    s.call(SYS_msgrcv, queue, &received, 16, 0, 0);
}

void play_removed_queue(stage &s) {
    const int queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    text_message received;
    // Removed while a call waits (EIDRM) or before it began (EINVAL): the plain call's thread may come too late.
    s.call(SYS_msgrcv, queue, &received, 16, 0, IPC_NOWAIT);
    EXPECT_EQ(msgctl(queue, IPC_RMID, nullptr), 0);
    s.call(SYS_msgrcv, queue, &received, 16, 0, 0);
}

void play_semaphores(stage &s) {
    const int set = static_cast<int>(s.call_for_value(SYS_semget, IPC_PRIVATE, 2, IPC_CREAT | 0600));
    sembuf up{0, 1, 0};
    sembuf down{0, -1, 0};
    s.call(SYS_semop, set, &up, 1);
    s.call(SYS_semop, set, &down, 1);
    sembuf trying{0, -1, IPC_NOWAIT};
    s.call(SYS_semop, set, &trying, 1);
    const timespec brief{0, 2000000};
    s.call_that_waits(SYS_semtimedop, set, &down, 1, &brief);
    s.call(SYS_semtimedop, set, &trying, 1, &brief);
    s.call_while([&] { EXPECT_EQ(semop(set, &up, 1), 0); }, SYS_semop, set, &down, 1);
    s.call(SYS_semctl, set, 0, GETVAL, 0);
    sembuf wrong{9, 1, 0};
    s.call(SYS_semop, set, &wrong, 1);
    s.call(SYS_semctl, set, 0, IPC_RMID, 0);
}

void play_shared_memory(stage &s) {
    const long segment = s.call_for_value(SYS_shmget, IPC_PRIVATE, 4096, IPC_CREAT | 0600);
    const long place = s.call_for_value(SYS_shmat, segment, nullptr, 0);
    auto *bytes = reinterpret_cast<char *>(place);
    s.note("byte", bytes[0]);
    bytes[0] = 1;
    s.call(SYS_shmdt, place);
    s.call(SYS_shmdt, 8);
    s.call(SYS_shmctl, segment, IPC_RMID, nullptr);
}

void play_posix_queue(stage &s) {
    // The call takes the name without the slash of mq_open(3).
    const std::string name = "laio-test-" + std::to_string(getpid());
    mq_attr attributes{};
    attributes.mq_maxmsg = 2;
    attributes.mq_msgsize = 16;
    const long opened =
        s.call_for_value(SYS_mq_open, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes);
    if (opened < 0) // A container may refuse it, or the user's limit be used up: noted alike in both.
        return;
    const descriptor queue{static_cast<int>(opened)};
    std::array<char, 16> text{};
    s.call(SYS_mq_timedsend, opened, "hello", 6, 3, nullptr);
    unsigned priority = 0;
    s.call(SYS_mq_timedreceive, opened, text.data(), text.size(), &priority, nullptr);
    s.note("text", text.data());
    s.note("priority", static_cast<long>(priority));
    s.call_while([&] { EXPECT_EQ(syscall(SYS_mq_timedsend, opened, "late", 5, 0, nullptr), 0); }, SYS_mq_timedreceive,
                 opened, text.data(), text.size(), &priority, nullptr);
    s.note("text", text.data());
    s.call(SYS_mq_timedsend, opened, "1", 2, 0, nullptr);
    s.call(SYS_mq_timedsend, opened, "2", 2, 0, nullptr);
    const timespec past{1, 0};
    s.call(SYS_mq_timedsend, opened, "3", 2, 0, &past);
    s.call_while(
        [&] {
            std::array<char, 16> first{};
            EXPECT_EQ(syscall(SYS_mq_timedreceive, opened, first.data(), first.size(), nullptr, nullptr), 2);
        },
        SYS_mq_timedsend, opened, "3", 2, 0, nullptr);
    s.call(SYS_mq_timedreceive, opened, text.data(), 1, &priority, nullptr);
    s.call(SYS_mq_unlink, name.c_str());
    s.call(SYS_mq_unlink, name.c_str());
}

} // namespace

std::span<const generality_case> message_cases() {
    static const std::vector<generality_case> cases{
        {"message_queue", {SYS_msgget, SYS_msgsnd, SYS_msgrcv, SYS_msgctl}, play_message_queue},
        {"removed_queue", {SYS_msgrcv}, play_removed_queue},
        {"semaphores", {SYS_semget, SYS_semop, SYS_semtimedop, SYS_semctl}, play_semaphores},
        {"shared_memory", {SYS_shmget, SYS_shmat, SYS_shmdt, SYS_shmctl}, play_shared_memory},
        {"posix_queue", {SYS_mq_open, SYS_mq_timedsend, SYS_mq_timedreceive, SYS_mq_unlink}, play_posix_queue},
    };
    return cases;
}

} // namespace laio::test

/* The smallest program that uses what was installed: a call that cannot block, through laio. */
#define _GNU_SOURCE
#include <laio/laio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
    long pid = laio_syscall(SYS_getpid);
    laio_handle_t handle = laio_gethandle();
    return pid == getpid() && handle == NULL && laio_fini() == 0 ? 0 : 1;
}

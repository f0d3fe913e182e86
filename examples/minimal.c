/* The shortest complete use of laio: a read that would block goes on in the background, the program does something
 * else, and laio_poll() hands over the finished result. */
#include <errno.h>
#include <laio/laio.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
    struct laio_completion done;
    char buffer[6];
    int ends[2];

    if (pipe(ends) == -1) return 1;
    long n = laio_syscall(SYS_read, ends[0], buffer, sizeof buffer); /* the pipe is empty */
    if (n != -1 || errno != EINPROGRESS) return 1;
    puts("read() would block: it goes on in the background");

    n = laio_syscall(SYS_write, ends[1], "lazily", sizeof buffer); /* does not block: just like write() */
    printf("write() returned %ld at once\n", n);

    if (laio_poll(&done, 1, NULL) != 1) /* NULL: wait as long as it takes */
        return 1;
    printf("read() returned %ld: %.6s\n", done.laio_return_value, buffer);
    return n == 6 && done.laio_return_value == 6 ? 0 : 1;
}

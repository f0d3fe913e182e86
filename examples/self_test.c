/* The files and the clients of the file servers' self-test; see self_test.h. */
#define _GNU_SOURCE /* NOLINT(bugprone-reserved-identifier): the C library's name */
#include "self_test.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct test_file {
    const char *name;
    size_t size;
} test_files[] = {{"empty", 0}, {"small", 6}, {"page", 4096}, {"medium", 300000}, {"large", 8 << 20}};

enum { test_file_count = sizeof test_files / sizeof *test_files, connections = 3 * test_file_count };

static char byte_at(size_t file, size_t offset) { return (char)(offset * 31 + offset / 4093 + file); }

/* ---- Files ------------------------------------------------------------------------------------------------------- */

static int make_file(int folder, size_t file) {
    const size_t size = test_files[file].size;
    char *content = malloc(size + 1);
    int fd = openat(folder, test_files[file].name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int result = -1;

    if (content != NULL && fd != -1) {
        for (size_t i = 0; i < size; i++) content[i] = byte_at(file, i);
        result = write(fd, content, size) == (ssize_t)size ? 0 : -1;
    }
    if (fd != -1) close(fd);
    free(content);
    return result;
}

static char test_folder[] = "/tmp/laio-example-XXXXXX";

int make_test_place(struct place *place) {
    int result = 0;

    if (mkdtemp(test_folder) == NULL) return -1;
    int folder = open(test_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t file = 0; file < test_file_count && result == 0; file++) result = make_file(folder, file);
    close(folder);
    return result == 0 ? place_open(place, test_folder, 0) : -1;
}

void remove_test_place(void) {
    int folder = open(test_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (size_t file = 0; file < test_file_count; file++) unlinkat(folder, test_files[file].name, 0);
    close(folder);
    rmdir(test_folder);
}

/* ---- Clients ------------------------------------------------------------------------------------------------------- */

static int check(int good, const char *what) {
    if (!good) fprintf(stderr, "self-test: %s\n", what);
    return good;
}

static int connect_to(unsigned short port) {
    const int small = 65536; /* so that a large answer does not fit, and the server's write has to wait */
    const struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == -1 ||
        connect(fd, (const struct sockaddr *)&address, sizeof address) == -1) {
        perror("self-test: connect");
        exit(1);
    }
    return fd;
}

static int ask(int fd, const char *text) {
    const size_t size = strlen(text);

    return check(send(fd, text, size, MSG_NOSIGNAL) == (ssize_t)size, "a request could not be sent");
}

/* Reads to the end and compares with a test file; SIZE_MAX: with nothing. */
static int expect(int fd, size_t file) {
    static char buffer[65536];
    const size_t size = file == SIZE_MAX ? 0 : test_files[file].size;
    size_t received = 0;
    ssize_t n;

    while ((n = read(fd, buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < n; i++, received++)
            if (received >= size || buffer[i] != byte_at(file, received))
                return check(0, "an answer differs from its file");
    }
    return check(n == 0, "a connection was reset") && check(received == size, "an answer ended too early");
}

static int fetch_all(unsigned short port) {
    int fds[connections];
    int good = 1;

    for (size_t i = 0; i < connections; i++) {
        fds[i] = connect_to(port);
        good &= ask(fds[i], test_files[i % test_file_count].name); /* without its newline: half a request */
    }
    for (size_t i = connections; i-- > 0;) good &= ask(fds[i], "\n");
    for (size_t i = connections; i-- > 0;) {
        good &= expect(fds[i], i % test_file_count);
        close(fds[i]);
    }
    return good;
}

static int fetch_nothing(unsigned short port) {
    static const char *const names[] = {"missing\n", "../etc/passwd\n", "/etc/passwd\n", ".\n", "\n"};
    char endless[1024];
    int good = 1;

    memset(endless, 'x', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    for (size_t i = 0; i <= sizeof names / sizeof *names; i++) {
        int fd = connect_to(port);

        if (i < sizeof names / sizeof *names) {
            good &= ask(fd, names[i]) && expect(fd, SIZE_MAX);
        } else { /* a line longer than any name: hung up on, perhaps while it is being sent */
            char byte;

            good &= ask(fd, endless) && check(read(fd, &byte, 1) <= 0, "an endless request was answered");
        }
        close(fd);
    }
    return good;
}

static int go_away(unsigned short port) {
    char byte;
    int before = connect_to(port);
    int within = connect_to(port);

    close(before);
    int good = ask(within, "large\n") && check(read(within, &byte, 1) == 1, "no answer began");
    close(within);
    return good;
}

static pid_t start(const struct place *place, int (*client)(unsigned short port)) {
    const unsigned short port = place_port(place);
    pid_t child = fork();

    if (child == 0) {
        close(place->listener);
        alarm(60); /* against a hang only */
        _exit(client(port) ? 0 : 1);
    }
    return child;
}

static int fetch(unsigned short port) {
    return go_away(port) && fetch_all(port) && fetch_nothing(port) && fetch_all(port);
}

static int be_silent(unsigned short port) { return expect(connect_to(port), SIZE_MAX); }

pid_t start_fetching_clients(const struct place *place) { return start(place, fetch); }

pid_t start_silent_client(const struct place *place) { return start(place, be_silent); }

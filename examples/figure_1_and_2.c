/* The paper's Figures 1 and 2 as a whole program: an event-driven file server on laio_poll() alone. A client sends a
 * file's name and a newline, the server sends the file and hangs up.
 *
 *   figure_1_and_2 FOLDER [PORT]     serves FOLDER on 127.0.0.1
 *   figure_1_and_2 --self-test       serves itself: exit status 0 if all was well
 *
 * One thread. Every call that may block is made with laio_syscall(), on blocking descriptors: reads and writes of
 * sockets, and also openat2(), fstat(), reads of files, close(). Each step of a client is a handler with a continuation
 * of the same name and "_complete", as in Figure 2; a step that does not block goes on to the next in place. A client's
 * steps never go round in place, so the stack is bounded: one read() fetches the whole file, one write() sends it.
 */
#define _GNU_SOURCE /* NOLINT(bugprone-reserved-identifier): the C library's name */
#include "self_test.h"

#include <errno.h>
#include <fcntl.h>
#include <laio/laio.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Events, as many event libraries have them --------------------------------------------------------------------- */

typedef void (*event_fn)(void *arg, long ret_val, int err_val);

struct event {
    laio_handle_t ev_handle;
    event_fn ev_func;
    void *ev_arg;
};

static void event_set(struct event *eventp, laio_handle_t handle, event_fn func, void *arg) {
    eventp->ev_handle = handle;
    eventp->ev_func = func;
    eventp->ev_arg = arg;
}

/* The completion will carry the event: to find it needs no table. */
static void event_add(struct event *eventp) { laio_setdata(eventp->ev_handle, eventp); }

/* ---- Clients ------------------------------------------------------------------------------------------------------- */

struct client {
    int socket;
    int file;
    struct event event;
    size_t request_length;
    char request[256];
    struct open_how how;
    struct stat status;
    char *buffer;
    size_t bytes_to_write;
};

static int folder;       /* what is served */
static int clients;      /* how many there are */
static int backgrounded; /* calls that would have blocked */

static void client_read(struct client *clientp);
static void client_open(struct client *clientp);
static void client_stat(struct client *clientp);
static void client_load(struct client *clientp);
static void client_write(struct client *clientp);

static void client_start(int fd) {
    struct client *clientp = calloc(1, sizeof *clientp);

    if (clientp == NULL) {
        close(fd);
        return;
    }
    clients++;
    clientp->socket = fd;
    clientp->file = -1;
    client_read(clientp);
}

/* close() may block too. Whether it does concerns nobody: its completion finds no event. */
static void client_end(struct client *clientp) {
    if (clientp->file != -1) laio_syscall(SYS_close, clientp->file);
    laio_syscall(SYS_close, clientp->socket);
    free(clientp->buffer);
    free(clientp);
    clients--;
}

/* What every handler has after its laio_syscall(), see client_write(). */
static void client_continue(struct client *clientp, long ret_val, event_fn complete) {
    if (ret_val == -1 && errno == EINPROGRESS) {
        backgrounded++;
        event_set(&clientp->event, laio_gethandle(), complete, clientp);
        event_add(&clientp->event);
        return;
    }
    complete(clientp, ret_val, ret_val == -1 ? errno : 0);
}

static void client_read_complete(void *arg, long ret_val, int err_val) {
    struct client *clientp = arg;

    if (err_val != 0 || ret_val == 0) {
        client_end(clientp);
        return;
    }
    clientp->request_length += (size_t)ret_val;
    char *newline = memchr(clientp->request, '\n', clientp->request_length);
    if (newline != NULL) {
        *newline = '\0';
        client_open(clientp);
    } else if (clientp->request_length < sizeof clientp->request) {
        client_read(clientp);
    } else {
        client_end(clientp);
    }
}

static void client_read(struct client *clientp) {
    client_continue(clientp,
                    laio_syscall(SYS_read, clientp->socket, clientp->request + clientp->request_length,
                                 sizeof clientp->request - clientp->request_length),
                    client_read_complete);
}

static void client_open_complete(void *arg, long ret_val, int err_val) {
    struct client *clientp = arg;

    if (err_val != 0) {
        client_end(clientp);
        return;
    }
    clientp->file = (int)ret_val;
    client_stat(clientp);
}

static void client_open(struct client *clientp) {
    clientp->how = (struct open_how){.flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
    client_continue(clientp, laio_syscall(SYS_openat2, folder, clientp->request, &clientp->how, sizeof clientp->how),
                    client_open_complete);
}

static void client_stat_complete(void *arg, long ret_val, int err_val) {
    struct client *clientp = arg;
    const off_t size_max = 64 << 20; /* a file is held in memory */

    (void)ret_val;
    if (err_val != 0 || !S_ISREG(clientp->status.st_mode) || clientp->status.st_size > size_max ||
        (clientp->buffer = malloc((size_t)clientp->status.st_size + 1)) == NULL) {
        client_end(clientp);
        return;
    }
    client_load(clientp);
}

static void client_stat(struct client *clientp) {
    client_continue(clientp, laio_syscall(SYS_fstat, clientp->file, &clientp->status), client_stat_complete);
}

static void client_load_complete(void *arg, long ret_val, int err_val) {
    struct client *clientp = arg;

    if (err_val != 0) {
        client_end(clientp);
        return;
    }
    clientp->bytes_to_write = (size_t)ret_val;
    client_write(clientp);
}

static void client_load(struct client *clientp) {
    client_continue(clientp,
                    laio_syscall(SYS_pread64, clientp->file, clientp->buffer, (size_t)clientp->status.st_size, 0L),
                    client_load_complete);
}

static void client_write_complete(void *arg, long ret_val, int err_val) {
    (void)ret_val;
    (void)err_val; /* the client went away: all the same */
    client_end(arg);
}

/* Figure 2. */
static void client_write(struct client *clientp) {
    long ret_val;
    int err_val;

    /* initiate the operation; returns immediately */
    ret_val = laio_syscall(SYS_write, clientp->socket, clientp->buffer, clientp->bytes_to_write);
    if (ret_val == -1) {
        if (errno == EINPROGRESS) {
            /* instruct event loop to call client_write_complete() upon completion of this LAIO operation; clientp is
             * passed to client_write_complete() */
            backgrounded++;
            event_set(&clientp->event, laio_gethandle(), client_write_complete, clientp);
            event_add(&clientp->event);
            return; /* to the event loop */
        } else {
            /* client_write_complete() handles errors */
            err_val = errno;
        }
    } else err_val = 0;
    /* completed without blocking */
    client_write_complete(clientp, ret_val, err_val);
}

/* ---- The server ---------------------------------------------------------------------------------------------------- */

static struct event accept_event;
static int accept_error;

static void accept_clients(int listener);

static void accept_complete(void *arg, long ret_val, int err_val) {
    const int listener = *(int *)arg;

    if (ret_val >= 0) client_start((int)ret_val);
    else if (err_val != ECONNABORTED) accept_error = err_val;
    if (accept_error == 0) accept_clients(listener);
}

/* Accepts who is there already, then waits in the background for the next. */
static void accept_clients(int listener) {
    static int argument;

    argument = listener;
    while (accept_error == 0) {
        long ret_val = laio_syscall(SYS_accept4, listener, NULL, NULL, SOCK_CLOEXEC);
        if (ret_val >= 0) {
            client_start((int)ret_val);
        } else if (errno == EINPROGRESS) {
            event_set(&accept_event, laio_gethandle(), accept_complete, &argument);
            event_add(&accept_event);
            return;
        } else if (errno != ECONNABORTED) {
            accept_error = errno;
        }
    }
}

static int child_ended;

static void wait_complete(void *arg, long ret_val, int err_val) {
    (void)arg;
    (void)ret_val;
    child_ended = err_val == 0 ? 1 : -1;
}

/* Figure 1. Until the child has ended and the last client is gone; without a child for ever. 0, or an error. */
static int run_event_loop(pid_t child) {
    enum { laioc_array_len = 16 };
    struct laio_completion laioc_array[laioc_array_len];

    for (;;) {
        int ncompleted;

        if (child != 0 && child_ended != 0 && clients == 0) return 0;
        if (accept_error != 0) return accept_error;
        /* poll for completed LAIO operations; laioc_array is an array of LAIO completion objects; it is an output
         * parameter */
        if ((ncompleted = laio_poll(laioc_array, laioc_array_len, NULL)) == -1) {
            if (errno == EINTR) continue;
            return errno;
        }
        for (int i = 0; i < ncompleted; i++) {
            long ret_val = laioc_array[i].laio_return_value;
            int err_val = laioc_array[i].laio_errno;
            struct event *eventp = laioc_array[i].laio_data;
            if (eventp != NULL) eventp->ev_func(eventp->ev_arg /* == clientp */, ret_val, err_val);
            /* completions are one-time events: eventp is disabled, and may be gone */
        }
    }
}

static int serve(int listener, pid_t child, int *status) {
    static struct event wait_event;

    signal(SIGPIPE, SIG_IGN); /* a client that goes away is an EPIPE */
    if (child != 0) {
        /* waitpid() is a call like any other */
        if (laio_syscall(SYS_wait4, child, status, 0, NULL) == -1 && errno == EINPROGRESS) {
            event_set(&wait_event, laio_gethandle(), wait_complete, NULL);
            event_add(&wait_event);
        } else {
            child_ended = 1;
        }
    }
    accept_clients(listener);
    int error = run_event_loop(child);
    if (laio_fini() == -1 || error != 0) fprintf(stderr, "server: %s\n", strerror(error != 0 ? error : errno));
    return error == 0 && child_ended >= 0 ? 0 : 1;
}

static int self_test(void) {
    char path[sizeof TEST_FOLDER];
    int status = -1;
    int listener = listen_on_loopback(0);
    pid_t child;

    if (listener == -1 || make_test_folder(path) == -1 || (folder = open(path, O_PATH | O_DIRECTORY)) == -1 ||
        (child = start_fetching_clients(listener)) == -1) {
        perror("self-test");
        return 1;
    }
    int result = serve(listener, child, &status);
    remove_test_folder(path);
    printf("%d calls of clients went to the background\n", backgrounded);
    return result == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 && backgrounded > 0 ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--self-test") == 0) return self_test();
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: %s FOLDER [PORT] | --self-test\n", argv[0]);
        return 2;
    }
    int listener = listen_on_loopback(argc == 3 ? (unsigned short)strtoul(argv[2], NULL, 10) : 0);
    folder = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (listener == -1 || folder == -1) {
        perror(argv[0]);
        return 1;
    }
    printf("serving %s: echo NAME | nc 127.0.0.1 %d\n", argv[1], port_of(listener));
    fflush(stdout);
    return serve(listener, 0, NULL);
}

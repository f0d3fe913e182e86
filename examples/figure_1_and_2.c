/* The paper's Figures 1 and 2 as a whole program: an event-driven file server on laio_poll() alone. A client sends a
 * file's name and a newline, the server sends the file and hangs up.
 *
 *   figure_1_and_2 FOLDER [PORT]     serves FOLDER on 127.0.0.1
 *   figure_1_and_2 --self-test       serves itself: exit status 0 if all was well
 *
 * One thread. Every call that may block is made with laio_syscall(), on blocking descriptors: reads and writes of
 * sockets, and also openat2(), fstat(), reads of files (all in file_request.c), close(). Each step of a client is a
 * handler with a continuation of the same name and "_complete", as in Figure 2; a step that does not block goes on to
 * the next in place. The stack is bounded: a request is a few steps, and one write() sends the whole file.
 */
#define _GNU_SOURCE /* NOLINT(bugprone-reserved-identifier): the C library's name */
#include "file_request.h"
#include "place.h"
#include "self_test.h"

#include <errno.h>
#include <laio/laio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
    struct event event;
    struct file_request request;
    char *buffer; /* the request's */
    size_t bytes_to_write;
};

static struct place place; /* what is served, and where */
static int clients;        /* how many there are */
static int backgrounded;   /* calls that would have blocked */

static void client_request(struct client *clientp);
static void client_write(struct client *clientp);

static void client_start(int fd) {
    struct client *clientp = calloc(1, sizeof *clientp);

    if (clientp == NULL) {
        close(fd);
        return;
    }
    clients++;
    clientp->socket = fd;
    file_request_init(&clientp->request, fd, place.folder);
    client_request(clientp);
}

/* close() may block too. Whether it does concerns nobody: its completion finds no event. */
static void client_end(struct client *clientp) {
    file_request_end(&clientp->request);
    laio_syscall(SYS_close, clientp->socket);
    free(clientp);
    clients--;
}

static void client_request_complete(void *arg, long ret_val, int err_val) {
    struct client *clientp = arg;

    switch (file_request_result(&clientp->request, ret_val, err_val)) {
    case FILE_REQUEST_GOES_ON: client_request(clientp); break;
    case FILE_REQUEST_COMPLETE:
        clientp->buffer = clientp->request.content;
        clientp->bytes_to_write = clientp->request.size;
        client_write(clientp);
        break;
    case FILE_REQUEST_FAILED: client_end(clientp); break;
    }
}

/* The next step of the request, in the manner of client_write() below. */
static void client_request(struct client *clientp) {
    long ret_val = file_request_call(&clientp->request);

    if (ret_val == -1 && errno == EINPROGRESS) {
        backgrounded++;
        event_set(&clientp->event, laio_gethandle(), client_request_complete, clientp);
        event_add(&clientp->event);
        return;
    }
    client_request_complete(clientp, ret_val, ret_val == -1 ? errno : 0);
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

static void accept_clients(void);

static void accept_complete(void *arg, long ret_val, int err_val) {
    (void)arg;
    if (ret_val >= 0) client_start((int)ret_val);
    else if (err_val != ECONNABORTED) accept_error = err_val;
    if (accept_error == 0) accept_clients();
}

/* Accepts who is there already, then waits in the background for the next. */
static void accept_clients(void) {
    while (accept_error == 0) {
        long ret_val = laio_syscall(SYS_accept4, place.listener, NULL, NULL, SOCK_CLOEXEC);
        if (ret_val >= 0) {
            client_start((int)ret_val);
        } else if (errno == EINPROGRESS) {
            event_set(&accept_event, laio_gethandle(), accept_complete, NULL);
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

static int serve(pid_t child, int *status) {
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
    accept_clients();
    int error = run_event_loop(child);
    if (laio_fini() == -1 || error != 0) fprintf(stderr, "server: %s\n", strerror(error != 0 ? error : errno));
    return error == 0 && child_ended >= 0 ? 0 : 1;
}

static int self_test(void) {
    int status = -1;
    pid_t child;

    if (make_test_place(&place) == -1 || (child = start_fetching_clients(&place)) == -1) {
        perror("self-test");
        return 1;
    }
    int result = serve(child, &status);
    remove_test_place();
    printf("%d calls of clients went to the background\n", backgrounded);
    return result == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 && backgrounded > 0 ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--self-test") == 0) return self_test();
    int error = place_from_arguments(&place, argc, argv);
    return error != 0 ? error : serve(0, NULL);
}

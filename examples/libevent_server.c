/* The file server of figure_1_and_2.c on libevent: completions of laio_syscall() are events of its loop, beside a signal
 * and timeouts. A client sends a file's name and a newline, the server sends the file and hangs up.
 *
 *   libevent_server FOLDER [PORT]     serves FOLDER on 127.0.0.1 until SIGINT
 *   libevent_server --self-test       serves itself: exit status 0 if all was well
 *
 * One thread. What differs from the other program: events are added with a timeout, which cancels the call of a client
 * that is too slow; and clients that are left at the end are taken back with laio_event_finalize(), because their calls
 * own their buffers until they are complete.
 */
#define _GNU_SOURCE /* NOLINT(bugprone-reserved-identifier): the C library's name */
#include "file_request.h"
#include "place.h"
#include "self_test.h"

#include <errno.h>
#include <event2/event.h>
#include <laio/libevent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct client {
    struct server *server;
    struct client *next;
    struct client **link;
    struct laio_event event;
    int socket;
    struct file_request request;
    char *buffer; /* the request's */
    size_t bytes_to_write;
};

struct server {
    struct event_base *base;
    struct place place;
    struct timeval patience; /* for each step of a client */
    struct laio_event accept_event;
    struct laio_event wait_event;
    struct event *interrupt;
    struct client *clients;
    int timeouts;
    int error;
};

static void client_request(struct client *clientp);
static void client_write(struct client *clientp);

static void client_start(struct server *server, int fd) {
    struct client *clientp = calloc(1, sizeof *clientp);

    if (clientp == NULL) {
        close(fd);
        return;
    }
    clientp->server = server;
    clientp->socket = fd;
    file_request_init(&clientp->request, fd, server->place.folder);
    clientp->next = server->clients;
    clientp->link = &server->clients;
    if (clientp->next != NULL) clientp->next->link = &clientp->next;
    server->clients = clientp;
    client_request(clientp);
}

/* To be called when no call of the client is in the background. close() may be, from here on: it has no event. */
static void client_end(struct client *clientp) {
    *clientp->link = clientp->next;
    if (clientp->next != NULL) clientp->next->link = clientp->link;
    file_request_end(&clientp->request);
    laio_syscall(SYS_close, clientp->socket);
    free(clientp);
}

static void client_failed(struct client *clientp, int err_val) {
    if (err_val == ETIMEDOUT) clientp->server->timeouts++;
    client_end(clientp);
}

/* The continuation of a client that was taken back: its call has let go of the memory. An open() that won against the
 * cancel has left a descriptor, which the request is to close. */
static void client_finalized(void *arg, long ret_val, int err_val) {
    struct client *clientp = arg;

    file_request_result(&clientp->request, ret_val, err_val);
    client_end(clientp);
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
    case FILE_REQUEST_FAILED: client_failed(clientp, err_val); break;
    }
}

/* Adds the client's event for the call that has just gone to the background. */
static void client_wait(struct client *clientp, laio_event_fn complete) {
    laio_event_assign(&clientp->event, clientp->server->base, laio_gethandle(), complete, clientp);
    if (laio_event_add(&clientp->event, &clientp->server->patience) == -1) {
        perror("laio_event_add"); /* no memory for a timer; the client's memory is the call's, and stays so */
        event_base_loopbreak(clientp->server->base);
    }
}

/* The next step of the request, in the manner of client_write() below. */
static void client_request(struct client *clientp) {
    long ret_val = file_request_call(&clientp->request);

    if (ret_val == -1 && errno == EINPROGRESS) client_wait(clientp, client_request_complete);
    else client_request_complete(clientp, ret_val, ret_val == -1 ? errno : 0);
}

static void client_write_complete(void *arg, long ret_val, int err_val) {
    (void)ret_val;
    client_failed(arg, err_val); /* or not: the client has its file, or went away */
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
            laio_event_assign(&clientp->event, clientp->server->base, laio_gethandle(), client_write_complete, clientp);
            if (laio_event_add(&clientp->event, &clientp->server->patience) == -1)
                event_base_loopbreak(clientp->server->base);
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

static void accept_clients(struct server *server);
static void server_stop(struct server *server);

static void accept_complete(void *arg, long ret_val, int err_val) {
    struct server *server = arg;

    if (err_val == 0) client_start(server, (int)ret_val);
    else if (err_val != ECONNABORTED) server->error = err_val;
    accept_clients(server);
}

/* Accepts who is there already, then waits in the background for the next. */
static void accept_clients(struct server *server) {
    while (server->error == 0) {
        long ret_val = laio_syscall(SYS_accept4, server->place.listener, NULL, NULL, SOCK_CLOEXEC);
        if (ret_val >= 0) {
            client_start(server, (int)ret_val);
        } else if (errno == EINPROGRESS) {
            laio_event_assign(&server->accept_event, server->base, laio_gethandle(), accept_complete, server);
            if (laio_event_add(&server->accept_event, NULL) == 0) return;
            server->error = errno;
        } else if (errno != ECONNABORTED) {
            server->error = errno;
        }
    }
    server_stop(server);
}

static void accept_finalized(void *arg, long ret_val, int err_val) {
    (void)arg;
    if (err_val == 0) close((int)ret_val);
}

/* Lets go of everything that keeps the base running; event_base_dispatch() returns when the last call is complete. */
static void server_stop(struct server *server) {
    laio_event_finalize(&server->accept_event, accept_finalized); /* ENOENT: accepting has failed, nothing to do */
    event_del(server->interrupt);
    for (struct client *clientp = server->clients; clientp != NULL; clientp = clientp->next)
        laio_event_finalize(&clientp->event, client_finalized);
}

static void child_ended(void *arg, long ret_val, int err_val) {
    struct server *server = arg;

    (void)ret_val;
    if (err_val != 0) server->error = err_val;
    server_stop(server);
}

static void interrupted(evutil_socket_t number, short what, void *arg) {
    (void)number;
    (void)what;
    server_stop(arg);
}

/* Until SIGINT, or until the child has ended. */
static int serve(struct server *server, pid_t child, int *status) {
    signal(SIGPIPE, SIG_IGN); /* a client that goes away is an EPIPE */
    server->base = event_base_new();
    if (server->base == NULL || laio_event_attach(server->base) == -1 ||
        (server->interrupt = evsignal_new(server->base, SIGINT, interrupted, server)) == NULL ||
        event_add(server->interrupt, NULL) == -1) {
        perror("server");
        return 1;
    }
    if (child != 0) {
        /* waitpid() is a call like any other; the child waits for us, so it has not ended */
        if (laio_syscall(SYS_wait4, child, status, 0, NULL) != -1 || errno != EINPROGRESS) return 1;
        laio_event_assign(&server->wait_event, server->base, laio_gethandle(), child_ended, server);
        laio_event_add(&server->wait_event, NULL);
    }
    accept_clients(server);
    int result = event_base_dispatch(server->base) == 1 && server->error == 0 ? 0 : 1;

    event_free(server->interrupt);
    laio_event_detach(server->base);
    event_base_free(server->base);
    if (laio_fini() == -1 || server->error != 0)
        fprintf(stderr, "server: %s\n", strerror(server->error != 0 ? server->error : errno));
    return result;
}

static int self_test(void) {
    static struct server patient = {.patience = {60, 0}};
    static struct server impatient = {.patience = {0, 1000}};
    int status = -1;

    if (make_test_place(&patient.place) == -1) {
        perror("self-test");
        return 1;
    }
    impatient.place = patient.place;
    int result = serve(&patient, start_fetching_clients(&patient.place), &status);
    if (result == 0 && status == 0) result = serve(&impatient, start_silent_client(&impatient.place), &status);
    remove_test_place();
    printf("%d clients were too slow, of 1 that says nothing\n", impatient.timeouts);
    return result == 0 && status == 0 && patient.timeouts == 0 && impatient.timeouts == 1 ? 0 : 1;
}

int main(int argc, char **argv) {
    static struct server server = {.patience = {30, 0}};

    if (argc == 2 && strcmp(argv[1], "--self-test") == 0) return self_test();
    int error = place_from_arguments(&server.place, argc, argv);
    return error != 0 ? error : serve(&server, 0, NULL);
}

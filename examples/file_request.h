/* What the two file servers of this folder have in common before they answer: a client's line is read, the file of that
 * name is opened, its size asked for, all of it read into memory. Each of these is a system call; the caller makes them
 * one after another, waits for each in its own manner, and hands in what it returned:
 *
 *   ret_val = file_request_call(&request)           -1/EINPROGRESS: the result comes later, from the event loop
 *   file_request_result(&request, ret_val, err_val)
 *
 * While a call is in the background the structure is the call's: it may then not be moved or freed.
 */
#ifndef LAIO_EXAMPLES_FILE_REQUEST_H
#define LAIO_EXAMPLES_FILE_REQUEST_H

#include <linux/openat2.h>
#include <stddef.h>
#include <sys/stat.h>

enum file_request_state {
    FILE_REQUEST_GOES_ON,  /* with the next call */
    FILE_REQUEST_COMPLETE, /* `content` is there */
    FILE_REQUEST_FAILED    /* or the client has gone */
};

struct file_request {
    char *content;
    size_t size;
    /* Where it is, and what its calls are given. */
    enum { LINE, OPEN, STATUS, CONTENT, COMPLETE } step;
    int socket;
    int folder;
    int file;
    size_t line_length;
    char line[256];
    struct open_how how;
    struct stat status;
};

/* Of the client at `socket`, for a file beneath `folder`. */
void file_request_init(struct file_request *request, int socket, int folder);

/* Makes the next call; returns as laio_syscall() does. */
long file_request_call(struct file_request *request);

/* Takes in the result of that call: err_val is 0 or its error. */
enum file_request_state file_request_result(struct file_request *request, long ret_val, int err_val);

/* Closes the file and frees the content. When no call is in the background. */
void file_request_end(struct file_request *request);

#endif

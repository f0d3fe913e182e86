/* See file_request.h. All descriptors are blocking ones; whether a call waits is laio_syscall()'s to find out. */
#define _GNU_SOURCE /* NOLINT(bugprone-reserved-identifier): the C library's name */
#include "file_request.h"

#include <errno.h>
#include <fcntl.h>
#include <laio/laio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

void file_request_init(struct file_request *request, int socket, int folder) {
    memset(request, 0, sizeof *request);
    request->socket = socket;
    request->folder = folder;
    request->file = -1;
    request->how = (struct open_how){.flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
}

long file_request_call(struct file_request *request) {
    switch (request->step) {
    case LINE:
        return laio_syscall(SYS_read, request->socket, request->line + request->line_length,
                            sizeof request->line - request->line_length);
    case OPEN: return laio_syscall(SYS_openat2, request->folder, request->line, &request->how, sizeof request->how);
    case STATUS: return laio_syscall(SYS_fstat, request->file, &request->status);
    case CONTENT:
        return laio_syscall(SYS_pread64, request->file, request->content, (size_t)request->status.st_size, 0L);
    case COMPLETE: break;
    }
    errno = EINVAL;
    return -1;
}

static enum file_request_state take_line(struct file_request *request, size_t received) {
    char *newline;

    request->line_length += received;
    newline = memchr(request->line, '\n', request->line_length);
    if (newline != NULL) {
        *newline = '\0';
        request->step = OPEN;
        return FILE_REQUEST_GOES_ON;
    }
    return received > 0 && request->line_length < sizeof request->line ? FILE_REQUEST_GOES_ON : FILE_REQUEST_FAILED;
}

static enum file_request_state take_status(struct file_request *request) {
    const off_t size_max = 64 << 20; /* a file is held in memory */

    if (!S_ISREG(request->status.st_mode) || request->status.st_size > size_max ||
        (request->content = malloc((size_t)request->status.st_size + 1)) == NULL)
        return FILE_REQUEST_FAILED;
    request->step = CONTENT;
    return FILE_REQUEST_GOES_ON;
}

enum file_request_state file_request_result(struct file_request *request, long ret_val, int err_val) {
    if (err_val != 0) return FILE_REQUEST_FAILED;
    switch (request->step) {
    case LINE: return take_line(request, (size_t)ret_val);
    case OPEN:
        request->file = (int)ret_val;
        request->step = STATUS;
        return FILE_REQUEST_GOES_ON;
    case STATUS: return take_status(request);
    case CONTENT:
        request->size = (size_t)ret_val;
        request->step = COMPLETE;
        break;
    case COMPLETE: break;
    }
    return FILE_REQUEST_COMPLETE;
}

/* close() may block too. Whether it does concerns nobody: its completion finds no event. */
void file_request_end(struct file_request *request) {
    if (request->file != -1) laio_syscall(SYS_close, request->file);
    free(request->content);
}
